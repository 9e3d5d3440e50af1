"""Which tables are the same table, and what is said about those that are not."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from database_backends.result import ResultTable
from evaluation.comparison.mechanism import Mechanism
from evaluation.comparison.numbers import Tolerance
from evaluation.comparison.order import Choice
from evaluation.comparison.tables import Comparison, compare_tables
from evaluation.verdicts import Reason, Status

NEAR = Tolerance()


def table(names: str, *rows: Sequence[object]) -> ResultTable:
    """A result; `names` are separated by blanks."""
    columns = tuple(names.split())
    return ResultTable(columns, ("",) * len(columns), [tuple(row) for row in rows])


def compare(gold: ResultTable, predicted: ResultTable) -> Comparison:
    return compare_tables(gold, predicted, NEAR)


EQUAL = {
    "the same": (table("a b", (1, "x"), (2, "y")), table("a b", (1, "x"), (2, "y"))),
    "other row order": (table("a b", (1, "x"), (2, "y")), table("a b", (2, "y"), (1, "x"))),
    "other names": (table("a b", (1, "x")), table("n m", (1, "x"))),
    "other case of names": (table("Name", ("x",)), table("NAME", ("x",))),
    "columns swapped, same names": (table("h a", (3, 1), (0, 2)), table("a h", (1, 3), (2, 0))),
    "columns swapped, other names": (table("h a", (3, 1), (0, 2)), table("x y", (1, 3), (2, 0))),
    "names half the same do not bind": (table("a b", (1, 2)), table("b c", (1, 2))),
    "duplicate names": (table("n n", ("x", "y")), table("n n", ("y", "x"))),
    "duplicate names among others": (table("n k n", ("x", 1, "y")), table("n n k", ("y", "x", 1))),
    "duplicate rows": (table("a", (1,), (1,), (2,)), table("a", (2,), (1,), (1,))),
    "ints and floats": (table("a b", (1, 10)), table("a b", (1.0, 10))),
    "decimals and floats": (table("a", (Decimal("6.90"),)), table("a", (6.9,))),
    "float noise": (table("a", (0.3,)), table("a", (0.1 + 0.2,))),
    "float noise beside large ids": (
        table("i v", (1_000_001, 0.3), (1_000_002, 0.3)),
        table("i v", (1_000_002, 0.1 + 0.2), (1_000_001, 0.3)),
    ),
    "float noise under other names and order": (table("a b", (0.3, "x")), table("n m", ("x", 0.1 + 0.2))),
    "booleans": (table("a", (True,), (False,)), table("a", (0,), (1,))),
    "nulls": (table("a b", (1, None), (None, "x")), table("a b", (None, "x"), (1, None))),
    "nan": (table("a", (float("nan"),)), table("a", (float("nan"),))),
    "signed zero": (table("a", (-0.0,)), table("a", (0.0,))),
    "date and its text": (table("d", (dt.date(2020, 1, 1),)), table("d", ("2020-01-01",))),
    "date and midnight": (table("d", ("2020-01-01",)), table("d", ("2020-01-01 00:00:00",))),
    "dates and nulls": (table("d", (dt.date(2020, 1, 1),), (None,)), table("d", (None,), ("2020-01-01T00:00",))),
    "time and its text": (table("t", (dt.time(1, 2, 3),)), table("t", ("01:02:03",))),
    "times and their text": (table("t", (dt.time(1, 2, 3, 500_000),)), table("t", ("01:02:03.500",))),
    "dates in lists": (table("d", ([dt.date(2020, 1, 1)],), ([],)), table("d", ([],), (["2020-01-01"],))),
    "dates in structs, beside other text": (
        table("s", ({"who": "ann", "day": dt.date(2020, 1, 1)},)),
        table("s", ({"who": "ann", "day": "2020-01-01 00:00:00"},)),
    ),
    "a map whose keys are lists, in another order": (
        table("m", ({"key": [[1], [2]], "value": [0.3, 4]},)),
        table("m", ({"key": [[2], [1]], "value": [4, 0.1 + 0.2]},)),
    ),
    "uuid and its text": (table("u", (UUID(int=1),)), table("u", (str(UUID(int=1)),))),
    "lists with float noise": (table("a", ([0.3, 1],)), table("a", ([0.1 + 0.2, 1.0],))),
    "structs": (table("a", ({"x": 1, "y": 0.3},)), table("a", ({"y": 0.1 + 0.2, "x": 1},))),
    "mixed types": (table("a", (1,), ("a",), (None,), (b"a",)), table("a", (b"a",), (None,), ("a",), (1,))),
    "tolerance needs a matching, not a sort": (
        table("a b", (1.0000001, "x"), (1.0000005, "y")),
        table("a b", (1.0000004, "x"), (1.0000002, "y")),
    ),
    "a float that is near two decimals": (
        table("a", (Decimal("0.3"),), (0.30000000001,)),
        table("a", (Decimal("0.30000000002"),), (0.30000000001,)),
    ),
    "no columns": (table("", (), ()), table("", (), ())),
    "lone surrogates": (table("a", ("\udc80",)), table("b", ("\udc80",))),
    "thirty columns alike": (table(" ".join("c" * 30), (1,) * 30), table(" ".join("d" * 30), (1,) * 30)),
}


@pytest.mark.parametrize("name", EQUAL)
def test_equal(name: str) -> None:
    gold, predicted = EQUAL[name]
    assert compare(gold, predicted).reason is Reason.MATCH
    assert compare(predicted, gold).reason is Reason.MATCH


DIFFERENT = {
    "extra column": (table("a", (1,)), table("a b", (1, 2)), Reason.EXTRA_COLUMNS),
    "missing column": (table("a b", (1, 2)), table("a", (1,)), Reason.MISSING_COLUMNS),
    "an empty result with fewer columns": (table("a b"), table("a"), Reason.MISSING_COLUMNS),
    "nothing found": (table("a", (1,)), table("a"), Reason.EMPTY),
    "something found": (table("a"), table("a", (1,)), Reason.EXTRA_ROWS),
    "a row too few": (table("a", (1,), (2,)), table("a", (1,)), Reason.MISSING_ROWS),
    "a row too many": (table("a", (1,)), table("a", (1,), (2,)), Reason.EXTRA_ROWS),
    "rows repeated": (table("a", (1,), (2,)), table("a", (1,), (2,), (2,)), Reason.ROW_COUNT_FANOUT),
    "one row, four times": (table("a", (3,)), table("a", (3,), (3,), (3,), (3,)), Reason.ROW_COUNT_FANOUT),
    "other multiplicities": (table("a", (1,), (1,), (2,)), table("a", (1,), (2,), (2,)), Reason.WRONG_ROWS),
    "rows scrambled": (
        table("n v", ("alice", 100), ("bob", 250)),
        table("n v", ("alice", 250), ("bob", 100)),
        Reason.WRONG_ROWS,
    ),
    "rows scrambled, numbers": (table("a b", (1, 4), (2, 3)), table("a b", (1, 3), (2, 4)), Reason.WRONG_ROWS),
    "values swapped under their names": (
        table("h a", (3, 1), (0, 2)),
        table("h a", (1, 3), (2, 0)),
        Reason.SWAPPED_COLUMNS,
    ),
    "one column twice": (table("n n", ("x", "y")), table("n n", ("y", "y")), Reason.WRONG_ROWS),
    "null and zero": (table("a", (None,)), table("a", (0,)), Reason.NULL_HANDLING),
    "null and empty text": (table("a b", (1, None)), table("a b", (1, "")), Reason.NULL_HANDLING),
    "null and its name": (table("a b", (1, None)), table("a b", (1, "None")), Reason.NULL_HANDLING),
    "rounded": (table("a", (10 / 3,)), table("a", (3.33,)), Reason.ROUNDING),
    "cut off": (table("a", (19.99,)), table("a", (19,)), Reason.ROUNDING),
    "not rounded": (table("a b", ("x", 3.33)), table("a b", ("x", 10 / 3)), Reason.ROUNDING),
    "percent for ratio": (table("a", (45.0,)), table("a", (0.45,)), Reason.SCALE),
    "ratio for percent": (table("a b", ("x", 0.45), ("y", 0.5)), table("a b", ("x", 45.0), ("y", 50.0)), Reason.SCALE),
    "small values": (table("a", (0.001,)), table("a", (0.009,)), Reason.WRONG_ROWS),
    "close, and not close enough": (
        table("a", (10.001,), (5.0,)),
        table("a", (9.9999,), (5.0,)),
        Reason.WRONG_ROWS,
    ),
    "text for number": (table("a", ("2014",)), table("a", (2014,)), Reason.TYPE),
    "a padded code": (table("a", ("007",)), table("a", (7,)), Reason.TYPE),
    "blob for text": (table("a", ("x",)), table("a", (b"x",)), Reason.TYPE),
    "case": (table("a", ("ann",)), table("a", ("ANN",)), Reason.WRONG_ROWS),
    "trailing space": (table("a", ("ann",)), table("a", ("ann ",)), Reason.TYPE),
    "ids beyond 2^53": (table("a", (2**53 + 1,)), table("a", (2**53,)), Reason.WRONG_ROWS),
    "neighbouring ids beside a float": (
        table("i v", (1_000_001, 0.5)),
        table("i v", (1_000_002, 0.5)),
        Reason.WRONG_ROWS,
    ),
    "another time of the day": (
        table("d", (dt.datetime(2020, 1, 1, 10),)),
        table("d", ("2020-01-01",)),
        Reason.WRONG_ROWS,
    ),
    "with a zone and without": (
        table("d", ("2020-01-01T10:00Z",)),
        table("d", ("2020-01-01T10:00",)),
        Reason.WRONG_ROWS,
    ),
    "not all values are dates": (
        table("d", ("2020-01-01",), ("soon",)),
        table("d", ("2020-01-01 00:00:00",), ("soon",)),
        Reason.WRONG_ROWS,
    ),
    "not all values within lists are dates": (
        table("d", (["2020-01-01", "soon"],)),
        table("d", (["2020-01-01 00:00:00", "soon"],)),
        Reason.WRONG_ROWS,
    ),
    "list order": (table("a", ([1, 2],)), table("a", ([2, 1],)), Reason.WRONG_ROWS),
    "decimals differ beside a float that is near both": (
        table("k a", (1, Decimal("0.3")), (2, 0.30000000001)),
        table("k a", (1, Decimal("0.30000000002")), (2, 0.30000000001)),
        Reason.ROUNDING,
    ),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_different(name: str) -> None:
    gold, predicted, reason = DIFFERENT[name]
    found = compare(gold, predicted)
    assert found.reason is reason
    assert compare(predicted, gold).reason.status is Status.INCORRECT


SOME_DATES = ("2020-01-01",), ("soon",)
ALL_DATES = ("2020-01-01",), ("2020-01-02",)


@pytest.mark.parametrize(
    ("rows", "cell", "reason"),
    [
        (SOME_DATES, "2020-01-01", Reason.MATCH_AMBIGUOUS),
        (SOME_DATES, "soon", Reason.MATCH_AMBIGUOUS),
        (SOME_DATES, "2020-01-01 00:00:00", Reason.WRONG_ROWS),
        (ALL_DATES, "2020-01-02 00:00:00", Reason.MATCH_AMBIGUOUS),
        (ALL_DATES, dt.date(2020, 1, 2), Reason.MATCH_AMBIGUOUS),
    ],
)
@pytest.mark.parametrize("names", ["day note", "x y"])
def test_whether_text_is_a_date_is_decided_over_all_that_the_gold_may_return(
    rows: Sequence[tuple[str]], cell: object, reason: Reason, names: str
) -> None:
    whole = table("day note", *((f"200{n}-01-01", *row) for n, row in enumerate(rows)))
    choice = Choice(whole, (0,) * len(rows), 0, 1, complete=True)
    found = set()
    for day in ("2000-01-01", "2001-01-01T00:00"):
        predicted = table(" ".join(reversed(names.split())), (cell, day))
        found.add(compare_tables(table("day note", whole.rows[0]), predicted, NEAR, choice).reason)
    assert reason in found
    assert {one.status for one in found} <= {reason.status, Status.INCORRECT}


def test_both_empty_is_vacuous_whatever_the_names() -> None:
    assert compare(table("a b"), table("x y")).reason is Reason.MATCH_VACUOUS


def test_the_differing_rows_are_told_with_their_multiplicity() -> None:
    found = compare(table("a b", (1, "x"), (1, "x"), (2, "y")), table("b a", ("x", 1), ("z", 3)))
    assert found.pairing == (1, 0)
    assert dict(found.missing) == {(1, "x"): 1, (2, "y"): 1}
    assert dict(found.extra) == {(3, "z"): 1}


def test_differing_rows_show_numbers_not_labels() -> None:
    found = compare(table("a", (0.1 + 0.2,), (0.3,), (7.5,)), table("a", (0.3,), (9.5,), (0.3,)))
    assert list(found.missing) == [(7.5,)]
    assert list(found.extra) == [(9.5,)]


@pytest.mark.parametrize("width", [12, 16])
def test_columns_of_equal_content_are_paired_without_trying_permutations(width: int) -> None:
    """2^12 permutations of 0/1 columns would take minutes; pytest's time limit is the judge."""
    source = random.Random(7)
    bits = [[0] * 20 + [1] * 20 for _ in range(width)]
    for column in bits:
        source.shuffle(column)
    order = source.sample(range(width), width)
    rows = list(zip(*bits, strict=True))
    permuted = [tuple(row[k] for k in order) for row in rows]
    source.shuffle(permuted)
    names = " ".join(f"g{k}" for k in range(width)), " ".join(f"p{k}" for k in range(width))
    assert compare(table(names[0], *rows), table(names[1], *permuted)).reason is Reason.MATCH

    permuted[0] = (1 - permuted[0][0], *permuted[0][1:])
    assert compare(table(names[0], *rows), table(names[1], *permuted)).reason is Reason.WRONG_ROWS


cells = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(max_size=3),
    st.text(st.characters(codec=None), max_size=3),
    st.binary(max_size=3),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.just(dt.UTC)),
    st.times(),
    st.timedeltas(),
    st.uuids(),
    st.sampled_from(["2020-01-01", "2020-01-01 00:00:00", "7", "007", "", "None"]),
    st.times(timezones=st.just(dt.UTC)),
    st.lists(st.floats(), max_size=2),
    st.lists(st.one_of(st.dates(), st.sampled_from(["2020-01-01", "10:00:00.50", "soon"])), max_size=2),
    st.lists(st.lists(st.integers(0, 2), max_size=1), max_size=2).map(
        lambda keys: {"key": keys, "value": [*range(len(keys))]}
    ),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)


@st.composite
def tables(draw: st.DrawFn) -> ResultTable:
    width = draw(st.integers(1, 4))
    names = draw(st.lists(st.sampled_from("abcA"), min_size=width, max_size=width))
    rows = draw(st.lists(st.tuples(*[cells] * width), max_size=6))
    return ResultTable(tuple(names), ("",) * width, rows)


@given(tables(), tables())
def test_never_raises_and_a_match_is_symmetric(left: ResultTable, right: ResultTable) -> None:
    one, other = compare(left, right), compare(right, left)
    assert (one.reason.status is Status.CORRECT) == (other.reason.status is Status.CORRECT)


@given(tables(), st.randoms(use_true_random=False))
def test_row_order_never_matters(left: ResultTable, source: random.Random) -> None:
    rows = list(left.rows)
    source.shuffle(rows)
    shuffled = ResultTable(left.columns, left.types, rows)
    assert compare(left, shuffled).reason.status is Status.CORRECT


@given(tables(), st.randoms(use_true_random=False), st.booleans())
def test_column_order_never_matters(left: ResultTable, source: random.Random, renamed: bool) -> None:
    order = source.sample(range(len(left.columns)), len(left.columns))
    names = tuple(f"other{k}" if renamed else left.columns[k] for k in order)
    rows = [tuple(row[k] for k in order) for row in left.rows]
    assert compare(left, ResultTable(names, left.types, rows)).reason.status is Status.CORRECT


@given(tables(), st.data())
def test_one_changed_cell_is_never_accepted(left: ResultTable, data: st.DataObject) -> None:
    if not left.rows:
        return
    row = data.draw(st.integers(0, len(left.rows) - 1))
    column = data.draw(st.integers(0, len(left.columns) - 1))
    rows = [list(r) for r in left.rows]
    rows[row][column] = "a value that no strategy draws"
    changed = ResultTable(left.columns, left.types, [tuple(r) for r in rows])
    assert compare(left, changed).reason.status is Status.INCORRECT
    assert compare(changed, left).reason.status is Status.INCORRECT


@pytest.mark.parametrize(
    ("name", "mechanism"),
    [
        ("the same", None),
        ("other row order", Mechanism.ORDER),
        ("other names", None),
        ("columns swapped, same names", Mechanism.COLUMNS),
        ("columns swapped, other names", Mechanism.COLUMNS),
        ("ints and floats", None),
        ("float noise", Mechanism.NUMBER),
        ("date and its text", Mechanism.TYPE),
        ("lists with float noise", Mechanism.NUMBER),
        ("extra column", Mechanism.COLUMNS),
        ("rows repeated", Mechanism.MULTIPLICITY),
        ("other multiplicities", Mechanism.MULTIPLICITY),
        ("values swapped under their names", Mechanism.COLUMNS),
        ("rounded", Mechanism.NUMBER),
        ("null and zero", Mechanism.NULL),
        ("a padded code", Mechanism.TYPE),
        ("case", Mechanism.ROWS),
        ("nothing found", Mechanism.ROWS),
    ],
)
def test_what_the_results_differ_in(name: str, mechanism: Mechanism | None) -> None:
    gold, predicted, *_ = {**EQUAL, **DIFFERENT}[name]
    assert compare(gold, predicted).mechanism is mechanism
