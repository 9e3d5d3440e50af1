from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.datasets.defog_notation import MOST_ALTERNATIVES, expand
from sqlassay.errors import UserError

CASES = {
    "nothing": (" ;; \n", []),
    "one query": ("SELECT 1 FROM t;", ["SELECT 1 FROM t"]),
    "two queries": ("SELECT 1; SELECT 2 ;", ["SELECT 1", "SELECT 2"]),
    "the same query twice": ("SELECT 1;SELECT 1;", ["SELECT 1"]),
    "semicolon in a string": ("SELECT 'a;b', 'it''s;'; SELECT 2", ["SELECT 'a;b', 'it''s;'", "SELECT 2"]),
    "semicolon in a name": ('SELECT "a;b", `c;d`; SELECT 2', ['SELECT "a;b", `c;d`', "SELECT 2"]),
    "semicolon in dollar quotes": ("SELECT $x$a;'$x$; SELECT $$;$$", ["SELECT $x$a;'$x$", "SELECT $$;$$"]),
    "semicolon in comments": (
        "SELECT 1 -- a;b\n; SELECT /* c;d */ 2; -- end; of all",
        ["SELECT 1 -- a;b", "SELECT /* c;d */ 2"],
    ),
    "quotes escaped by backslash": (r"SELECT 'can\'t; no' AS a; SELECT 2", [r"SELECT 'can\'t; no' AS a", "SELECT 2"]),
    "backslash as a character": (r"SELECT 'a\'; SELECT 2", [r"SELECT 'a\'", "SELECT 2"]),
    "one column": ("SELECT {a} FROM t", ["SELECT a FROM t"]),
    "two columns": (
        "SELECT {a.x,a.y}, z FROM a",
        ["SELECT a.x, z FROM a", "SELECT a.y, z FROM a", "SELECT a.x, a.y, z FROM a"],
    ),
    "three columns": (
        "SELECT { x , y , z } FROM a",
        [f"SELECT {columns} FROM a" for columns in ("x", "y", "z", "x, y", "x, z", "y, z", "x, y, z")],
    ),
    "quoted columns": (
        'SELECT {"a b".x, `y`} FROM t',
        [f"SELECT {c} FROM t" for c in ('"a b".x', "`y`", '"a b".x, `y`')],
    ),
    "alias behind": ("SELECT {x, y} AS z", ["SELECT x AS z", "SELECT y AS z", "SELECT x, y AS z"]),
    "group by": (
        "SELECT {x, y}, c FROM t GROUP BY {}, c ORDER BY {}",
        [f"SELECT {columns}, c FROM t GROUP BY {columns}, c ORDER BY {columns}" for columns in ("x", "y", "x, y")],
    ),
    "group by in a common table expression": (
        "WITH r AS (SELECT {m.a, m.b} FROM m GROUP BY {}) SELECT * FROM r",
        [f"WITH r AS (SELECT {c} FROM m GROUP BY {c}) SELECT * FROM r" for c in ("m.a", "m.b", "m.a, m.b")],
    ),
    "two choices": (
        "SELECT {a, b} FROM (SELECT {c, d} FROM u GROUP BY {}) GROUP BY {}",
        [
            f"SELECT {outer} FROM (SELECT {inner} FROM u GROUP BY {inner}) GROUP BY {outer}"
            for outer in ("a", "b", "a, b")
            for inner in ("c", "d", "c, d")
        ],
    ),
    "choice of the parenthesis around": (
        "SELECT {a, b} FROM t GROUP BY ROLLUP({})",
        [f"SELECT {columns} FROM t GROUP BY ROLLUP({columns})" for columns in ("a", "b", "a, b")],
    ),
    "two halves": (
        "SELECT {a} FROM t GROUP BY {} UNION SELECT {b} FROM u GROUP BY {}",
        ["SELECT a FROM t GROUP BY a UNION SELECT b FROM u GROUP BY b"],
    ),
    "alternatives with choices": (
        "SELECT {a, b} FROM t; SELECT c FROM t;",
        ["SELECT a FROM t", "SELECT b FROM t", "SELECT a, b FROM t", "SELECT c FROM t"],
    ),
    "braces in a string": ("SELECT '{a,b}', '{}'", ["SELECT '{a,b}', '{}'"]),
    "struct": ("SELECT {'a': 1, 'b': x}", ["SELECT {'a': 1, 'b': x}"]),
    "empty map": ("SELECT MAP {} FROM t", ["SELECT MAP {} FROM t"]),
    "template": ("SELECT {{ a }}", ["SELECT {{ a }}"]),
    "ODBC": ("SELECT {fn now()}, {d '2020-01-01'}", ["SELECT {fn now()}, {d '2020-01-01'}"]),
    "numbers": ("SELECT {1, 2}", ["SELECT {1, 2}"]),
    "stray parentheses": ("SELECT a) FROM ({b}", ["SELECT a) FROM (b"]),
    "stray quote": ("SELECT 'a; b", ["SELECT 'a", "b"]),
}


@pytest.mark.parametrize(("text", "queries"), CASES.values(), ids=CASES)
def test_what_a_text_stands_for(text: str, queries: list[str]) -> None:
    assert list(expand(text)) == queries


@pytest.mark.parametrize(
    "text",
    [
        "SELECT {" + ",".join(f"c{number}" for number in range(13)) + "}",
        "SELECT {a, b, c, d, e, f}, {g, h, i, j, k, l, m}",
        "SELECT {" + ",".join(f"c{number}" for number in range(20_000)) + "}",
        ";".join("SELECT {" + ",".join(f"{table}{number}" for number in range(11)) + "}" for table in "tuv"),
    ],
)
def test_too_many_alternatives_are_one_line(text: str) -> None:
    with pytest.raises(UserError) as caught:
        expand(text, "a.csv, line 2")
    assert str(caught.value) == (
        "a.csv, line 2: stands for more than 4,096 queries"
        " (put fewer columns in braces: n of them stand for 2^n - 1 queries)"
    )


def test_as_many_as_are_allowed() -> None:
    columns = ",".join(f"c{number}" for number in range(12))
    assert len(expand(f"SELECT {{{columns}}}; SELECT 1")) == MOST_ALTERNATIVES


@given(st.text())
def test_any_text_stands_for_something(text: str) -> None:
    for query in expand(text):
        assert query == query.strip()


@given(st.lists(st.sampled_from(["a", "b.c", '"d e"', "f"]), unique=True, min_size=1))
def test_choices_grow_and_keep_the_stated_order(columns: list[str]) -> None:
    queries = expand(f"SELECT {{{', '.join(columns)}}} FROM t GROUP BY {{}}")
    assert len(queries) == 2 ** len(columns) - 1
    chosen = [query.removeprefix("SELECT ").split(" FROM ")[0].split(", ") for query in queries]
    assert all(before < after for before, after in pairwise(list(map(len, chosen))) if before != after)
    assert all(sorted(choice, key=columns.index) == choice for choice in chosen)
    assert all(query.endswith(f"GROUP BY {', '.join(choice)}") for query, choice in zip(queries, chosen, strict=True))
