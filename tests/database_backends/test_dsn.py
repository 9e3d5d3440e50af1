from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from database_backends.dsn import Dsn, DsnError, shown

SECRET = "sekret77"


def parse(text: str) -> Dsn:
    options = {"schema": (), "sslmode": ("disable", "require")}
    return Dsn.parse(text, schemes=("postgres",), port=5432, parts=("database",), options=options)


def test_it_is_taken_apart() -> None:
    dsn = parse("postgres://me%40corp:a%2Fb@[::1]:5433/my%20db?schema=x")
    assert (dsn.user, dsn.password, dsn.host, dsn.port) == ("me@corp", "a/b", "::1", 5433)
    assert (dsn.path, dsn.options) == (("my db",), {"schema": "x"})
    assert str(dsn) == "//me%40corp:***@[::1]:5433/my%20db?schema=x"


def test_a_scheme_may_name_a_driver() -> None:
    assert parse("postgres+psycopg://host/x") == parse("//host/x")


def test_an_option_that_is_a_choice_has_no_case() -> None:
    assert parse("//host/x?sslmode=Require&schema=X").options == {"sslmode": "require", "schema": "X"}


def test_a_wrong_choice_is_named_with_what_there_is() -> None:
    with pytest.raises(DsnError, match="its sslmode is 'bogus', and one of disable, require is wanted, in //host/x"):
        parse("//host/x?sslmode=bogus")


WRONG = {
    "mysql://host/x": "scheme",
    "postgres:///x": "host",
    "//host:5x/x": "port",
    "//host:99999/x": "port",
    "//host:0/x": "port",
    "//host": "database",
    "//host/a/b": "path",
    "//host/x#y": "'#'",
    "//host/x?colour=red": "option",
    f"//me@corp:{SECRET}@host/x": "'@'",
    f"//me:{SECRET} more@host/x": "blank",
    f"//me:12/{SECRET}@host/x": "'@'",
    f"//me:12/x?{SECRET}@host/x": "'@'",
    f"//me:{SECRET}@host/x?password={SECRET}": "option",
    f"host=h password={SECRET}": "host",
}


@pytest.mark.parametrize(("text", "word"), WRONG.items())
def test_a_wrong_part_is_named_and_the_password_is_not(text: str, word: str) -> None:
    with pytest.raises(DsnError) as raised:
        parse(text)
    assert word in str(raised.value)
    assert SECRET not in str(raised.value)


@given(
    user=st.text(st.characters(exclude_characters="/?#", codec="ascii"), max_size=8),
    around=st.text(st.characters(codec="ascii"), max_size=4),
    scheme=st.sampled_from(["", "postgres:"]),
)
def test_no_password_is_ever_shown(user: str, around: str, scheme: str) -> None:
    text = f"{scheme}//{user}:{around}{SECRET}{around}@host:5432/database"
    assert SECRET not in shown(text)
    try:
        dsn = parse(text)
        told = f"{dsn} {dsn!r}"
    except DsnError as error:
        told = str(error)
    assert SECRET not in told
