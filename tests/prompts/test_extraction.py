"""Finding SQL in an answer: a table of answers as models write them, and what must hold for every answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.extraction import EXTRACTORS, Method, Removed, extract, only_object

Q = "SELECT name FROM singer WHERE age > 20"
MULTILINE = "SELECT name,\n       age\nFROM singer\nWHERE age > 20;"
CTE = "WITH old AS (\n  SELECT * FROM singer WHERE age > 60\n)\nSELECT count(*) FROM old"
REASONING, BEFORE, AFTER, BLOCKS = Removed

FENCED = [
    ("label", f"```sql\n{Q}\n```", Q),
    ("upper-case label", f"```SQL\n{Q}\n```", Q),
    ("engine as label", f"```SQLite\n{Q}\n```", Q),
    ("engine with number", f"```sqlite3\n{Q}\n```", Q),
    ("postgres", f"```postgresql\n{Q}\n```", Q),
    ("duckdb", f"```duckdb\n{Q}\n```", Q),
    ("attributes after the label", f'```sql title="answer"\n{Q}\n```', Q),
    ("pandoc label", f"```{{.sql}}\n{Q}\n```", Q),
    ("space before the label", f"``` sql\n{Q}\n```", Q),
    ("tildes", f"~~~sql\n{Q}\n~~~", Q),
    ("four backticks", "````sql\nSELECT '```'\nFROM t\n````", "SELECT '```'\nFROM t"),
    ("windows line ends", f"```sql\r\n{Q}\r\n```\r\n", Q),
    ("indented in a list", f"1. The query:\n   ```sql\n   {Q}\n   ```", Q),
    ("fence after prose on one line", f"Here you are: ```sql\n{Q}\n```", Q),
    ("all on one line", f"```sql {Q}```", Q),
    ("SQL begins on the fence's line", "```sql SELECT name\nFROM singer\n```", "SELECT name\nFROM singer"),
    ("closed at the end of the SQL's line", f"```sql\n{Q};```\nThat is all.", f"{Q};"),
    ("closed at the ends of two blocks' lines", "```sql\nSELECT 1;```\nor\n```sql\nSELECT 2;```", "SELECT 2;"),
    ("prose around", f"Sure!\n\n```sql\n{MULTILINE}\n```\n\nThis lists the singers.", MULTILINE),
    ("WITH first", f"```sql\n{CTE}\n```", CTE),
    ("comment first", f"```sql\n-- older than 20\n{Q}\n```", f"-- older than 20\n{Q}"),
    ("two statements stay two", "```sql\nSELECT 1; SELECT 2\n```", "SELECT 1; SELECT 2"),
    ("not a query, for the guard to judge", "```sql\nDROP TABLE singer\n```", "DROP TABLE singer"),
    ("broken SQL is not repaired", "```sql\nSELEC name FORM singer\n```", "SELEC name FORM singer"),
    ("the last labelled block", "First:\n```sql\nSELECT 1\n```\nBetter:\n```sql\nSELECT 2\n```", "SELECT 2"),
    ("an empty last block", "```sql\nSELECT 1\n```\n```sql\n\n```", "SELECT 1"),
    ("a labelled block before its output", f"```sql\n{Q}\n```\nOutput:\n```\nselect_count\n3\n```", Q),
    ("a labelled block before plain SQL", f"```sql\n{Q}\n```\n```\nSELECT 2\n```", Q),
    ("a forgotten closing fence", "```sql\nSELECT 1\n\n```sql\nSELECT 2\n```", "SELECT 2"),
    ("backticks in the SQL", "```sql\nSELECT `a` FROM `t`\n```", "SELECT `a` FROM `t`"),
]

BARE = [
    ("bare", Q),
    ("bare, several lines", MULTILINE),
    ("bare, lower case", "select count(*) from singer"),
    ("bare, capitalised", "Select name From singer"),
    ("bare, no table", "SELECT 1"),
    ("bare, WITH", CTE),
    ("bare, lower-case with", "with a as (select 1 as x) select x from a"),
    ("bare, WITH RECURSIVE", "WITH RECURSIVE n(i) AS (SELECT 1) SELECT i FROM n"),
    ("bare, line comment", f"-- old ones\n{Q}"),
    ("bare, block comment", f"/* old\nones */ {Q}"),
    ("bare, parentheses", f"({Q})\nUNION\n({Q})"),
    ("bare, two statements", "SELECT 1;\n\nSELECT 2;"),
    ("bare, an empty line inside", "SELECT name\nFROM singer\n\nWHERE age > 20"),
    ("bare, an empty line in a CTE", "WITH a AS (\n\n  SELECT 1 AS x\n\n)\n\nSELECT x FROM a"),
    ("bare, comment after the end", f"{Q}; -- done"),
    ("bare, subquery on its own line", "SELECT name FROM singer WHERE id IN (\nSELECT id FROM concert\n)"),
    ("bare, prose in a string", "SELECT name FROM t WHERE x = 'a; b\n\nThis is it.'"),
    ("bare, quoted identifiers", 'SELECT "Name", `a`.[b c] FROM "My Table"'),
    ("bare, a write for the guard", "DELETE FROM singer"),
    ("bare, VALUES", "VALUES (1), (2)"),
    ("bare, one letter names", "SELECT a, b FROM a WHERE a > b"),
    ("bare, a parenthesis too many", "SELECT name FROM t WHERE a IN (1)). x"),
    ("bare, a semicolon too many", "SELECT name;\nFROM t"),
    ("bare, an empty line between CTEs", "WITH a AS (SELECT 1),\n\nb AS (SELECT 2)\n\nSELECT * FROM a, b"),
    ("bare, words of English in a string", "SELECT 'I lack the data from the table.' AS answer"),
    ("bare, DuckDB's own", "SUMMARIZE singer"),
    ("bare, a list", "select [1, 2][1] from t"),
    ("bare, IS NULL", "SELECT x IS NULL FROM t"),
]

CASES = [
    *((name, answer, sql, Method.FENCED_SQL) for name, answer, sql in FENCED),
    *((name, sql, sql, Method.BARE) for name, sql in BARE),
    ("plain fence", f"```\n{Q}\n```", Q, Method.FENCED),
    ("other label", f"```text\n{Q}\n```", Q, Method.FENCED),
    ("no label, on one line", f"```{Q}```", Q, Method.FENCED),
    (
        "no label, SQL on the fence's line",
        "```SELECT name\nFROM singer\n```",
        "SELECT name\nFROM singer",
        Method.FENCED,
    ),
    ("label on a line of its own", f"```\nsql\n{Q}\n```", Q, Method.FENCED_SQL),
    ("python is not SQL", "```python\nwith open('x') as f:\n    pass\n```", None, Method.NONE),
    (
        "the last plain block with SQL",
        "```\nSELECT 1\n```\n```\nSELECT 2\n```\n```\n 3\n```",
        "SELECT 2",
        Method.FENCED,
    ),
    ("unclosed", f"```sql\n{Q}", Q, Method.UNCLOSED_FENCE),
    ("unclosed and cut off", "```sql\nSELECT name FROM (SELECT", "SELECT name FROM (SELECT", Method.UNCLOSED_FENCE),
    ("unclosed without label", f"```\n{Q}", Q, Method.UNCLOSED_FENCE),
    ("only a fence", "```sql\n```", None, Method.NONE),
    ("bare, white space around", f"\n  {Q}\n\n", Q, Method.BARE),
    ("prose after an empty line", f"{Q}\n\nThis doesn't list the young ones.", Q, Method.BARE),
    ("prose after a semicolon", f"{Q};\nThe query lists names.", f"{Q};", Method.BARE),
    ("prose after a semicolon, same line", f"{Q}; this lists names.", f"{Q};", Method.BARE),
    ("a fence closed that the prompt opened", f"{Q}\n```", Q, Method.BARE),
    (
        "GROUP BY ALL before an empty line",
        "SELECT a FROM t GROUP BY ALL\n\nThat is it.",
        "SELECT a FROM t GROUP BY ALL",
        Method.BARE,
    ),
    ("heading after", f"{Q}\n**Explanation**\nIt lists names.", Q, Method.BARE),
    ("labelled line after", f"{Q}\nExplanation: it lists names.", Q, Method.BARE),
    ("sentence after", f"{Q}\nThis query lists names.", Q, Method.BARE),
    (
        "explained piece by piece",
        f"{Q}\n\nExplanation:\n- SELECT name: the name\n- FROM singer: the table",
        Q,
        Method.BARE,
    ),
    ("prose before, after a colon", f"Here is the query: {Q}", Q, Method.AFTER_PROSE),
    ("bold before", f"**Query:** {Q};", f"{Q};", Method.AFTER_PROSE),
    ("prose before, own line", f"Here is the query.\n{Q}", Q, Method.AFTER_PROSE),
    ("prose before and after", f"Here is the query:\n\n{Q}\n\nIt lists names.", Q, Method.AFTER_PROSE),
    ("prose before, WITH", f"With this we count them:\n{CTE}", CTE, Method.AFTER_PROSE),
    ("prose before, comment kept", f"Here:\n\n-- old ones\n{Q}", f"-- old ones\n{Q}", Method.AFTER_PROSE),
    ("LangChain's style", f"Question: names?\nSQLQuery: {Q}\nSQLResult: Joe\nAnswer: Joe", Q, Method.AFTER_PROSE),
    ("full stop after a sentence", f"The query is: {Q}.", Q, Method.AFTER_PROSE),
    ("inline code", f"Use `{Q}` for that.", Q, Method.INLINE_CODE),
    (
        "inline code with double backticks",
        "Use ``SELECT `a` FROM t`` for that.",
        "SELECT `a` FROM t",
        Method.INLINE_CODE,
    ),
    (
        "inline code after a name",
        f"The table `singer` is enough: `{Q}`, where `age` is in years.",
        Q,
        Method.INLINE_CODE,
    ),
    ("in a sentence", f"The answer would be {Q}.", Q, Method.IN_SENTENCE),
    ("in a sentence, more after", f"You could run {Q}. This lists names.", Q, Method.IN_SENTENCE),
    ("in brackets in a sentence", f"I would run it ({Q}) and look.", Q, Method.IN_SENTENCE),
    ("JSON", json.dumps({"sql": MULTILINE}), MULTILINE, Method.JSON),
    ("JSON with more keys", json.dumps({"reasoning": f"`{Q}`?", "sql": Q}), Q, Method.JSON),
    ("JSON in a block", f"```json\n{json.dumps({'sql': Q})}\n```", Q, Method.JSON),
    ("JSON in prose", f'The result: {{"sql": "{Q}"}} as asked.', Q, Method.JSON),
    ("JSON without SQL", '{"sql": null}', None, Method.NONE),
    ("JSON, deep", '{"a":' * 100_000, None, Method.NONE),
    ("reasoning", f"<think>\n```sql\nSELECT 0\n```\n</think>\n```sql\n{Q}\n```", Q, Method.FENCED_SQL),
    (
        "reasoning with an unclosed fence",
        f"<think>\n```sql\nSELECT 0\n</think>\n```sql\n{Q}\n```",
        Q,
        Method.FENCED_SQL,
    ),
    ("reasoning that the prompt opened", f"I try SELECT 0 FROM t.\n</think>\n\n{Q}", Q, Method.BARE),
    ("reasoning cut off", f"<think>\nMaybe {Q}", None, Method.NONE),
    ("reasoning tag in the SQL", "```sql\nSELECT '</think>'\n```", "SELECT '</think>'", Method.FENCED_SQL),
    ("nothing", "", None, Method.NONE),
    ("only the first word", "SELECT", None, Method.NONE),
    ("refusal after the first word", "SELECT I'm sorry, but the tables are empty.", None, Method.NONE),
    ("prose after the first word", "SELECT The question needs several steps. Here they are:", None, Method.NONE),
    ("refusal", "I cannot answer that from this schema.", None, Method.NONE),
    ("prose with Select", "Select the oldest singer from the table and count the concerts.", None, Method.NONE),
    ("prose with select from", "select all singers from the singer table", None, Method.NONE),
    ("prose with With", "With this schema, as (far as) I can see, no query is possible.", None, Method.NONE),
    (
        "prose with Select, steps",
        "1. Select a table\n2. Select one of its columns from it\n3. Order by age",
        None,
        Method.NONE,
    ),
    (
        "prose about SQL",
        "A SELECT statement with a WHERE clause would do. Use SELECT to pick and FROM to name.",
        None,
        Method.NONE,
    ),
    ("prose about clauses", "The SELECT and FROM clauses are missing.", None, Method.NONE),
    ("prose with Delete and Update", "Update the table, delete from it, create a view.", None, Method.NONE),
    ("keywords as inline code", "Use `SELECT` and `FROM`, then `WITH`.", None, Method.NONE),
]


@pytest.mark.parametrize(("answer", "sql", "method"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_case(answer: str, sql: str | None, method: Method) -> None:
    found = extract(answer)
    assert (found.sql, found.method) == (sql, method)


def test_names_of_cases_are_unique() -> None:
    assert len({case[0] for case in CASES}) == len(CASES) >= 50


@pytest.mark.parametrize(
    ("answer", "removed"),
    [
        (Q, ()),
        (f"```sql\n{Q}\n```", ()),
        (f"Here: {Q}", (BEFORE,)),
        (f"{Q}\n\nThis is it.", (AFTER,)),
        (f"Use `{Q}` here.", (BEFORE, AFTER)),
        (f"`{Q}`", ()),
        (f"A\n```sql\n{Q}\n```\nB\n```\nC\n```", (BEFORE, AFTER, BLOCKS)),
        (f"```sql\nSELECT 0\n```\n```sql\n{Q}\n```", (BLOCKS,)),
        (f"<think>hm</think>{Q}", (REASONING,)),
        (json.dumps({"sql": Q, "why": "because"}), ()),
        ("No.", ()),
    ],
)
def test_what_was_taken_off_is_recorded(answer: str, removed: tuple[Removed, ...]) -> None:
    assert extract(answer).removed == removed


PIECES = st.sampled_from(
    [
        "```",
        "```sql\n",
        "~~~",
        "`",
        "<think>",
        "</think>",
        "SELECT ",
        "select name from t",
        "WITH a AS (",
        "FROM ",
        ";",
        "{",
        '{"sql": "',
        "}",
        "'",
        '"',
        "--",
        "/*",
        "*/",
        "(",
        ")",
        "\n",
        "\n\n",
        "The query: ",
        ". This ",
        "\r\n",
        " ",
    ]
)


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=5))).map("".join)))
def test_never_raises_and_never_invents(answer: str) -> None:
    found = extract(answer)
    assert (found.sql is None) == (found.method is Method.NONE)
    if found.sql is not None:
        assert found.sql.strip()
        assert found.sql in answer or found.method is Method.JSON


@given(
    sql=st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=5))).map("".join)).filter(
        lambda sql: sql.strip() and "```" not in sql
    ),
    before=st.sampled_from(["", "Here is the query:\n\n", "Select the best:\n", "I use `SELECT a FROM b`:\n"]),
    label=st.sampled_from(["sql", "SQL", "sqlite", "postgresql", "sql copy"]),
    after=st.sampled_from(["", "\n", "\n\nThis counts them. SELECT picks columns FROM t.", "\n```\n1 | 2\n```\n"]),
)
def test_fenced_sql_comes_back_as_it_is(sql: str, before: str, label: str, after: str) -> None:
    assert extract(f"{before}```{label}\n{sql}\n```{after}").sql == sql.strip()


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    [
        "```",
        "`",
        "~~~\n",
        "```sql\n",
        "x ```\na```\n",
        "select a from ",
        "SELECT a FROM t ",
        "(",
        "(SELECT ",
        "-- a\n",
        "/*",
        "'",
        '"',
        "\n",
        "\n ",
        " ",
        "{",
        '{"sql":',
        "WITH a AS (",
        "</think>",
        "<think>",
        "SELECT ",
        ";",
        "*/ ",
        "SELECT 1;\n\n",
        "Select 1\nThis is\n",
        "- SELECT a: b\n",
        "`SELECT 1` ",
    ],
)
def test_hostile_answers_are_read(piece: str) -> None:
    """Reading them must not be quadratic: pytest's time limit is the judge."""
    answer = piece * (100_000 // len(piece))
    extract(answer)
    extract("SELECT 1 " + answer)


def test_outputs_are_known() -> None:
    assert EXTRACTORS["sql_block"] is extract


ONE = '{"grade": "good", "why": {"a": [1, "}"]}}'


@pytest.mark.parametrize(
    "answer",
    [
        ONE,
        f"  {ONE}\n",
        f"```json\n{ONE}\n```",
        f"I think {{so}}: {ONE}. That is all.",
        f"{ONE} and once more {ONE}",
        f'<think>perhaps {{"grade": "bad"}}</think>{ONE}',
    ],
    ids=ascii,
)
def test_the_only_object_of_an_answer(answer: str) -> None:
    assert only_object(answer) == {"grade": "good", "why": {"a": [1, "}"]}}


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "good",
        "[1, 2]",
        ONE[:-1],
        f'{ONE} or rather {{"grade": "bad"}}',
        '{"grade": "bad", "grade": "good"}',
        '{"a": {"grade": "bad", "grade": "good"}}',
        "{" * 10_000,
        '{"a":' * 10_000,
    ],
    ids=lambda answer: ascii(answer)[:40],
)
def test_an_answer_without_one_or_with_several(answer: str) -> None:
    assert only_object(answer) is None
