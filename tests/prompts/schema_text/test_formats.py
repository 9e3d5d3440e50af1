"""What each format writes, on one schema that has everything."""

from __future__ import annotations

import pytest
import sqlglot
from hypothesis import given

from prompts.schema_text.style import FORMATS
from sqlassay.schema import Column, ForeignKey, Schema, Table
from tests.prompts.schema_text.schemas import schemas

SINGER = Table(
    "singer",
    (
        Column("id", "INTEGER", False, True, "the number of the singer", ("1", "2")),
        Column("name", "TEXT", False, values=("'Ann'", "'O''Hara | Co'")),
        Column("age", "", description="in years"),
    ),
    rows=(("1", "'Ann'", "NULL"), ("2", "'O''Hara | Co'", "45")),
)
CONCERT = Table(
    "Concert Hall",
    (Column("singer", "INT", primary_key=True), Column("order", "INT", primary_key=True)),
    (ForeignKey(("singer",), "singer", ("id",)), ForeignKey(("order", "singer"), "other", ())),
)
VIEW = Table("old_singer", (Column("name", "TEXT"),), is_view=True)
SCHEMA = Schema((SINGER, CONCERT, VIEW))

DDL = """\
CREATE TABLE singer (
  id INTEGER PRIMARY KEY, -- the number of the singer; such as 1, 2
  name TEXT NOT NULL, -- such as 'Ann', 'O''Hara | Co'
  age -- in years
);
-- some rows:
-- id | name | age
-- 1 | 'Ann' | NULL
-- 2 | 'O''Hara | Co' | 45

CREATE TABLE "Concert Hall" (
  singer INT,
  "order" INT,
  PRIMARY KEY (singer, "order"),
  FOREIGN KEY (singer) REFERENCES singer (id),
  FOREIGN KEY ("order", singer) REFERENCES other
);

-- a view
CREATE TABLE old_singer (
  name TEXT
);"""

COMPACT = """\
singer(id INTEGER PK, name TEXT, age)
"Concert Hall"(singer INT PK, "order" INT PK); singer -> singer.id; ("order", singer) -> other
view old_singer(name TEXT)"""

M_SCHEMA = """\
【Schema】
# Table: singer
[
(id:INTEGER, the number of the singer, Primary Key, Examples: [1, 2]),
(name:TEXT, Examples: ['Ann', 'O''Hara | Co']),
(age, in years),
]
# Table: "Concert Hall"
[
(singer:INT, Primary Key),
("order":INT, Primary Key),
]
# View: old_singer
[
(name:TEXT),
]
【Foreign keys】
"Concert Hall".singer=singer.id
"Concert Hall".("order", singer)=other"""

MARKDOWN = """\
### singer

| column | type | key | description | examples |
|---|---|---|---|---|
| id | INTEGER | primary key | the number of the singer | 1, 2 |
| name | TEXT |  |  | 'Ann', 'O''Hara \\| Co' |
| age |  |  | in years |  |

Some rows:

| id | name | age |
|---|---|---|
| 1 | 'Ann' | NULL |
| 2 | 'O''Hara \\| Co' | 45 |

### "Concert Hall"

| column | type | key |
|---|---|---|
| singer | INT | primary key, → singer.id, → other |
| "order" | INT | primary key, → other |

### old_singer (view)

| column | type |
|---|---|
| name | TEXT |"""

WRITTEN = {"ddl": DDL, "compact": COMPACT, "m_schema": M_SCHEMA, "markdown": MARKDOWN}


def test_every_format_has_its_text_here() -> None:
    assert set(WRITTEN) == set(FORMATS)


@pytest.mark.parametrize("name", WRITTEN)
def test_text(name: str) -> None:
    assert FORMATS[name].write(SCHEMA, "sqlite") == WRITTEN[name]


def test_ddl_with_comments_is_sql() -> None:
    statements = sqlglot.parse(FORMATS["ddl"].write(SCHEMA, "sqlite"), dialect="sqlite")
    assert [type(statement).__name__ for statement in statements] == ["Create", "Create", "Create"]


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_format_shows_is_in_its_text(name: str) -> None:
    table = Table("t", (Column("a", "INT", description="DESCRIBED", values=("VALUE",)),), rows=(("ROW",),))
    text = FORMATS[name].write(Schema((table,)), "")
    shown = {
        what for what, word in (("descriptions", "DESCRIBED"), ("values", "VALUE"), ("rows", "ROW")) if word in text
    }
    assert shown == FORMATS[name].shows


@pytest.mark.parametrize("name", FORMATS)
@given(schema=schemas())
def test_every_name_is_in_every_text(name: str, schema: Schema) -> None:
    text = FORMATS[name].write(schema, "sqlite")
    for table in schema.tables:
        assert table.name in text
        assert all(column.name in text for column in table.columns)


@pytest.mark.parametrize("name", FORMATS)
def test_no_tables(name: str) -> None:
    assert FORMATS[name].write(Schema(()), "") in ("", "【Schema】")
