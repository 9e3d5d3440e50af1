"""Whether a database is all right, on every engine; and whether what is shown to mend a schema would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from database_backends.base import BACKENDS, CanBuild, DatabaseBackend
from database_backends.validation import Expectation, Validation, validate
from sqlassay.validation import Check
from tests.servers.trino import TrinoWorld
from tests.servers.world import ServerWorld
from tests.servers.worlds import SERVERS, world_of

EXPECTED = (
    "CREATE TABLE singer (singer_id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, age INTEGER, born DATE)",
    "CREATE TABLE concert (concert_id INTEGER PRIMARY KEY, singer_id INTEGER REFERENCES singer (singer_id))",
    "CREATE TABLE ticket (concert_id INTEGER, seat INTEGER, PRIMARY KEY (concert_id, seat))",
    "INSERT INTO singer VALUES (1, 'Joe', 52, NULL), (2, 'Ann', NULL, NULL)",
    "INSERT INTO concert VALUES (1, 1), (2, NULL)",
    "INSERT INTO ticket VALUES (1, 1), (1, 2)",
)
FOUND = (
    "CREATE TABLE singer (singer_id INTEGER PRIMARY KEY, name VARCHAR(40), age SMALLINT, voice INTEGER)",
    "CREATE TABLE concert (concert_id INTEGER, singer_id INTEGER)",
    "CREATE TABLE tour (tour_id INTEGER PRIMARY KEY)",
)


class Place:
    """Where databases of one engine are made.

    Args:
        engine: The registered name.
        folder: For files.
        world: The server, where it is one.
    """

    def __init__(self, engine: str, folder: Path, world: ServerWorld | None) -> None:
        self.backend: type[DatabaseBackend] = BACKENDS.get(engine)
        self._folder = folder
        self._world = world
        self._made = 0

    def make(self, statements: Sequence[str]) -> str:
        """A new database's target."""
        if self._world is not None:
            return self._world.make(statements)
        self._made += 1
        file = str(self._folder / f"{self._made}{self.backend.file_suffixes[0]}")
        assert issubclass(self.backend, CanBuild)
        self.backend.build(file, statements)
        return file

    def mended(self, made: Sequence[str], migration: Sequence[str]) -> str:
        """A new database's target, after its migration in the engine's own words."""
        if not isinstance(self._world, TrinoWorld):  # which is another engine's where its databases are made
            return self.make([*made, *migration])
        target = self.make(made)
        for statement in migration:
            self._world.run(self._world.owners(target), statement.rstrip(";"))
        return target

    def validate(self, found: Sequence[str], expected: Sequence[str], *, whole: bool = True) -> Validation:
        """What is found about one new database that should be like another."""
        other = Expectation.of(self.backend, self.make(expected), whole=whole)
        return validate(self.backend, self.make(found), expected=other, whole=whole)


@pytest.fixture(params=["sqlite", "duckdb", *SERVERS])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    engine = request.param
    world = None if BACKENDS.get(engine).embedded else world_of(engine, request)
    yield Place(engine, tmp_path, world)
    if world is not None:
        world.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Place:
    return Place("sqlite", tmp_path, None)


def checks(validation: Validation) -> dict[str, Check]:
    return {check.name: check for check in validation.result.checks}


def said(validation: Validation) -> list[str]:
    return [str(difference) for difference in validation.differences]


def statements(validation: Validation) -> list[str]:
    return [statement for statement in validation.migration if not statement.startswith("--")]


def test_a_database_as_expected(place: Place) -> None:
    found = place.validate(EXPECTED, EXPECTED)
    assert found.result.ok, found
    assert (found.differences, found.migration) == ((), ())
    by_name = checks(found)
    assert by_name["schema"].detail.startswith("as in ")
    assert by_name["rows"].detail == "6 rows in 3 tables"
    assert [check.name for check in found.result.checks if check.warning] in ([], ["fingerprint"])
    if place.backend.has_keys:
        assert by_name["primary keys"].detail == "3, unique and not NULL"
        assert by_name["foreign keys"].detail == "1, all lead to a row"


def test_what_differs_is_told(place: Place) -> None:
    found = place.validate(FOUND, EXPECTED)
    assert not found.result.ok
    assert not checks(found)["schema"].ok
    told = said(found)
    assert "table ticket is missing" in told
    assert "table tour is not expected" in told
    assert "column singer.born is missing" in told
    assert "column singer.voice is not expected" in told
    assert any(text.startswith("column singer.age has ") for text in told)
    keys = [
        "column singer.name may be NULL, and NOT NULL is expected",
        "primary key of concert is none, and (concert_id) is expected",
        "foreign key concert (singer_id) to singer (singer_id) is missing",
    ]
    assert [text in told for text in keys] == [place.backend.has_keys] * len(keys)
    assert [difference.matters for difference in found.differences if "tour" in str(difference)] == [False]


def test_the_migration_mends_what_the_engine_can_mend(place: Place) -> None:
    """What it cannot, and what would lose data, is a comment."""
    expected = Expectation.of(place.backend, place.make(EXPECTED), whole=False)
    found = validate(place.backend, place.make(FOUND), expected=expected, whole=False)
    left = validate(place.backend, place.mended(FOUND, statements(found)), expected=expected, whole=False)
    assert not statements(left), left.migration
    comments = {text for text in found.migration if text.startswith("--")}
    assert comments == set(left.migration)
    assert any("DROP TABLE" in text and "tour" in text for text in comments)
    assert any("DROP COLUMN" in text and "voice" in text for text in comments)
    assert "table ticket is missing" not in said(left)
    assert "column singer.born is missing" not in said(left)
    if place.backend.name in ("postgres", "mysql", "trino"):
        assert len(left.differences) == 2


def test_rows_are_counted(place: Place) -> None:
    found = place.validate(EXPECTED[:-1], EXPECTED)
    rows = checks(found)["rows"]
    assert not rows.ok
    assert rows.detail == "ticket has 0, and 2 are expected"
    assert not checks(found)["fingerprint"].ok or place.backend.embedded


def test_an_empty_database_is_a_warning(place: Place) -> None:
    found = validate(place.backend, place.make(EXPECTED[:3]))
    assert found.result.ok
    assert checks(found)["rows"].warning
    assert "empty: " in checks(found)["rows"].detail


def test_quick_reads_no_tables(place: Place) -> None:
    target = place.make(EXPECTED)
    quick = [check.name for check in validate(place.backend, target, whole=False).result.checks]
    assert {"rows", "primary keys", "foreign keys", "fingerprint"}.isdisjoint(quick)


def test_a_fingerprint_can_be_expected(place: Place) -> None:
    target = place.make(EXPECTED)
    with place.backend(target) as database:
        fingerprint = database.fingerprint()
    good = validate(place.backend, target, fingerprint=fingerprint, whole=False)
    assert checks(good)["fingerprint"].ok
    bad = validate(place.backend, target, fingerprint="blake2b:0", whole=False)
    assert not bad.result.ok
    assert "blake2b:0 is expected" in checks(bad)["fingerprint"].detail


def test_keys_that_rows_do_not_keep(sqlite: Place) -> None:
    found = validate(
        sqlite.backend,
        sqlite.make(
            [
                "CREATE TABLE singer (singer_id TEXT PRIMARY KEY, name TEXT)",
                "CREATE TABLE concert (id INTEGER PRIMARY KEY, singer_id REFERENCES singer, place REFERENCES city)",
                "INSERT INTO singer VALUES ('a', 'Joe'), (NULL, 'Ann')",
                "INSERT INTO concert VALUES (1, 'a', 1), (2, 'b', 1), (3, NULL, 1)",
            ]
        ),
    )
    assert not found.result.ok
    assert checks(found)["primary keys"].detail == "singer (singer_id) is NULL in 1 row"
    foreign = checks(found)["foreign keys"]
    assert (foreign.ok, foreign.warning) == (True, True)
    assert "concert (singer_id) to singer (singer_id): 1 row of concert without a counterpart" in foreign.detail
    assert "concert (place) to city (): there is no such table" in foreign.detail


@pytest.mark.parametrize("engine", SERVERS)
def test_another_engine_can_be_expected(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Names without case, no types; where the engine has no keys, those of the other are followed."""
    sqlite = Place("sqlite", tmp_path, None)
    capitals = [text.replace("singer", "Singer").replace("seat", "SEAT") for text in EXPECTED]
    expected = Expectation.of(sqlite.backend, sqlite.make(capitals), whole=True)
    world = world_of(engine, request)
    try:
        found = validate(BACKENDS.get(engine), world.make(EXPECTED), expected=expected)
        assert found.result.ok, found
        assert found.differences == ()
        assert checks(found)["primary keys"].detail == "3, unique and not NULL"
        assert checks(found)["foreign keys"].detail == "1, all lead to a row"
        assert "types" in checks(found)["schema"].detail
        missing = validate(BACKENDS.get(engine), world.make(EXPECTED[2:3]), expected=expected)
    finally:
        world.close()
    assert said(missing) == ["table Singer is missing", "table concert is missing"]
    assert any('"singer"' in text or "`singer`" in text for text in missing.migration)


@pytest.mark.parametrize("engine", SERVERS)
def test_a_wrong_connection_string_is_a_failed_check(engine: str, request: pytest.FixtureRequest) -> None:
    target = world_of(engine, request).owner.partition("/")[0] + "//user:secret@127.0.0.1"
    found = validate(BACKENDS.get(engine), target)
    (check,) = found.result.checks
    assert (check.name, check.ok) == ("connection string", False)
    assert "its path names no" in check.detail
    assert f"{engine}://user:password@host:" in check.remedy
    assert "secret" not in repr(found)


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_a_missing_file_is_a_failed_check(engine: str, tmp_path: Path) -> None:
    (check,) = validate(BACKENDS.get(engine), str(tmp_path / "none")).result.checks
    assert (check.name, check.ok) == ("opens", False)
    assert "does not exist" in check.detail
