"""Templates: what a file may hold, and what rendering does with any value."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.extraction import Method
from prompts.schema_text.style import SchemaStyle
from prompts.template import Offer, PromptTemplate, Shots, read
from sqlassay.errors import UserError
from sqlassay.messages import Message

GOOD = """
name: short
version: 3
messages:
  - {role: system, content: "You write {{ dialect }}."}
  - {role: user, content: "{{ question }}"}
output: sql_block
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "v3.yaml"
        path.write_text(text, "utf-8")
        return path

    return write


def template(write: Write, content: str) -> PromptTemplate:
    indented = "\n".join(f"      {line}" for line in content.splitlines())
    return read(
        write(f"name: t\nversion: 1\noutput: sql_block\nmessages:\n  - role: user\n    content: |\n{indented}\n")
    )


def test_fields(write: Write) -> None:
    path = write(GOOD)
    found = read(path)
    assert found == PromptTemplate(
        name="short",
        version=3,
        description="",
        messages=(Message("system", "You write {{ dialect }}."), Message("user", "{{ question }}")),
        output="sql_block",
        stop=(),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        path=path,
    )
    assert found.ref == "short@3"
    assert found.variables == {"dialect", "question"}


def test_optional_fields(write: Write) -> None:
    found = read(write(GOOD + "description: as short as can be\nstop: ['###']\n"))
    assert (found.description, found.stop) == ("as short as can be", ("###",))


def test_examples_and_linking(write: Write) -> None:
    text = GOOD.replace("{{ question }}", "{% for e in examples %}{{ e.sql }}{% endfor %}{{ question }}")
    found = read(write(f"{text}examples: {{select: similar, count: 3}}\nlinking: schema_link@1\n"))
    assert (found.examples, found.linking, found.linker) == (Shots("similar", 3), "schema_link@1", None)
    assert found.shots == {"short@3": Shots("similar", 3)}
    rendered = found.render({**VALUES, "examples": [{"sql": "SELECT 1;"}, {"sql": "SELECT 2;"}]})
    assert rendered.messages[1].content == "SELECT 1;SELECT 2;How many?"


def test_what_is_shown_of_the_schema(write: Write) -> None:
    assert read(write(GOOD)).schema == SchemaStyle("ddl", 0, 0, False, None)
    text = "schema: {format: markdown, rows: 2, values: 3, descriptions: true, max_tokens: 900}"
    assert read(write(GOOD + text)).schema == SchemaStyle("markdown", 2, 3, True, 900)
    assert read(write(GOOD + "schema: {format: compact, rows: 0, descriptions: false}")).schema.format == "compact"


def test_what_a_judge_may_say(write: Write) -> None:
    found = read(
        write(
            GOOD + "grades:\n  good: {description: right, score: 1}\n  bad: {description: wrong, score: 0.0}\n"
            "criteria:\n  joins: {description: as they should be, weight: 2.5}\n"
        )
    )
    assert list(found.grades.items()) == [("good", Offer("right", 1.0)), ("bad", Offer("wrong", 0.0))]
    assert found.criteria == {"joins": Offer("as they should be", 2.5)}
    assert read(write(GOOD)).grades == read(write(GOOD)).criteria == {}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("grades: [good, bad]", "grades: must be a mapping of names to description and score"),
        ("grades: {good: 1}", "grades.good: must be a mapping with the keys description, score"),
        ("grades: {good: {description: right}}", "grades.good: the key 'score' is missing"),
        ("grades: {good: {description: right, weight: 1}}", "unknown key 'weight'"),
        ("grades: {good: {description: right, score: 2}}", "grades.good.score: must be a number from 0 to 1"),
        ("grades: {good: {description: right, score: -0.1}}", "grades.good.score: must be a number from 0 to 1"),
        ("grades: {good: {description: right, score: .nan}}", "grades.good.score: must be a number from 0 to 1"),
        ("grades: {good: {description: right, score: true}}", "grades.good.score: must be a number from 0 to 1"),
        ("grades: {good: {description: 5, score: 1}}", "grades.good.description: must be text"),
        ("grades: {Good one: {description: right, score: 1}}", "grades.Good one: must be lower-case letters"),
        ("criteria: {joins: {description: right, weight: .inf}}", "criteria.joins.weight: must be a number from 0"),
    ],
)
def test_an_offer_that_is_wrong_is_named(write: Write, line: str, problem: str) -> None:
    with pytest.raises(UserError) as caught:
        read(write(GOOD + line))
    assert problem in str(caught.value)


def test_extract_uses_the_declared_output(write: Write) -> None:
    found = read(write(GOOD)).extract("```sql\nSELECT 1\n```")
    assert (found.sql, found.method) == ("SELECT 1", Method.FENCED_SQL)


@pytest.mark.parametrize(
    ("old", "new", "place", "problem"),
    [
        ("version: 3", "version: 3\nmesages: []", "", "unknown key 'mesages' (did you mean 'messages'?)"),
        ("role: user", "rule: user", ": messages[1]", "unknown key 'rule' (did you mean 'role'?)"),
        ("role: user", "role: model", ": messages[1].role", "must be one of system, user, assistant"),
        ("name: short\n", "", "", "the key 'name' is missing"),
        ("name: short", "name: Short One", ": name", "must be lower-case letters, digits, '_' and '-', a letter first"),
        ("version: 3", "version: '3'", ": version", "must be a whole number from 1"),
        ("version: 3", "version: true", ": version", "must be a whole number from 1"),
        ("version: 3", "version: 0", ": version", "must be a whole number from 1"),
        ("output: sql_block", "output: sqlblock", ": output", "unknown output 'sqlblock' (did you mean 'sql_block'?)"),
        ("output: sql_block", "output: sql_block\nstop: '###'", ": stop", "must be a list"),
        ("output: sql_block", "output: sql_block\nstop: [1]", ": stop[0]", "must be text"),
        ("{{ question }}", "{{ question | uper }}", ": messages[1].content", "line 1: No filter named 'uper'."),
        ("{{ question }}", "{{ question", ": messages[1].content", "line 1: unexpected end of template"),
        ("{{ question }}", "{% include 'x' %}", ": messages[1].content", "cannot include, import or extend"),
        ("{{ question }}", "{{ question | attr('x') }}", ": messages[1].content", "line 1: No filter named 'attr'."),
        ("  - {role: user", "  - 5\n  - {role: user", ": messages[1]", "must be a mapping with the keys role, content"),
        (
            "output: sql_block",
            "output: sql_block\nexamples: {select: nearest, count: 3}",
            ": examples.select",
            "must be one of static, similar",
        ),
        (
            "output: sql_block",
            "output: sql_block\nexamples: {select: static, count: 0}",
            ": examples.count",
            "must be a whole number from 1",
        ),
        ("output: sql_block", "output: sql_block\nexamples: {select: static}", ": examples", "key 'count' is missing"),
        ("output: sql_block", "output: sql_block\nexamples: 3", ": examples", "must be a mapping with the keys"),
        (
            "output: sql_block",
            "output: sql_block\nexamples: {select: static, count: 3}",
            ": examples",
            "are asked for, and no message mentions the variable of this name",
        ),
        ("{{ question }}", "{{ examples }}", ": messages", "mention 'examples', and the key of this name"),
        ("output: sql_block", "output: sql_block\nlinking: 3", ": linking", "must be text"),
        (
            "output: sql_block",
            "output: sql_block\nlinking: schema_link",
            ": linking",
            "must be a prompt and its version",
        ),
        (
            GOOD,
            GOOD + "schema: ddl",
            ": schema",
            "must be a mapping with the keys format, rows",
        ),
        (GOOD, GOOD + "schema: {formt: ddl}", ": schema", "unknown key 'formt' (did you mean 'format'?)"),
        (GOOD, GOOD + "schema: {format: DDL}", ": schema.format", "unknown format 'DDL' (did you mean 'ddl'?)"),
        (GOOD, GOOD + "schema: {format: 1}", ": schema.format", "must be text"),
        (GOOD, GOOD + "schema: {rows: -1}", ": schema.rows", "must be a whole number from 0 to 100"),
        (GOOD, GOOD + "schema: {values: true}", ": schema.values", "must be a whole number from 0 to 100"),
        (GOOD, GOOD + "schema: {values: 101}", ": schema.values", "must be a whole number from 0 to 100"),
        (GOOD, GOOD + "schema: {descriptions: 1}", ": schema.descriptions", "must be true or false"),
        (GOOD, GOOD + "schema: {max_tokens: 0}", ": schema.max_tokens", "must be a whole number from 1"),
        (
            GOOD,
            GOOD + "schema: {format: compact, rows: 2}",
            ": schema.rows",
            "format compact has no place for rows",
        ),
        (GOOD, "[]", "", "must be a mapping with the keys name, version, messages, output"),
        (GOOD, "", "", "must be a mapping with the keys name, version, messages, output"),
        (GOOD, "name: [", "", "not valid YAML: while parsing"),
        (GOOD, "name: !!python/object:os.system x", "", "not valid YAML: could not determine a constructor"),
        (GOOD, "name: 2024-13-01", "", "not valid YAML: month must be in 1..12"),
        (GOOD, GOOD + "stop: ['#', '']", ": stop[1]", "must not be empty"),
        (GOOD, GOOD + "stop: &a [*a]", "", "nested too deeply, or within itself"),
        (
            GOOD,
            "{name: a, version: 1, output: sql_block, messages: []}",
            ": messages",
            "must hold at least one message",
        ),
    ],
)
def test_a_wrong_file_is_an_error_that_names_file_and_key(
    write: Write, old: str, new: str, place: str, problem: str
) -> None:
    path = write(GOOD.replace(old, new))
    with pytest.raises(UserError) as raised:
        read(path)
    assert str(raised.value).startswith(f"{path}{place}: ")
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read the prompt: No such file"):
        read(tmp_path / "v1.yaml")
    (tmp_path / "v2.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="this is not text"):
        read(tmp_path / "v2.yaml")


VALUES = {"dialect": "SQLite", "question": "How many?"}


def test_rendering(write: Write) -> None:
    rendered = read(write(GOOD)).render(VALUES)
    assert rendered.messages == (Message("system", "You write SQLite."), Message("user", "How many?"))


def test_digest_tells_prompts_apart_and_nothing_else(write: Write) -> None:
    short = read(write(GOOD))
    assert short.render(VALUES).sha256 == short.render({**VALUES, "unused": 1}).sha256
    assert short.render(VALUES).sha256 != short.render({**VALUES, "question": "How many??"}).sha256
    moved = {"dialect": "SQLite.", "question": "How many?"}
    assert short.render(VALUES).sha256 != short.render(moved).sha256


@given(question=st.text())
def test_values_are_data(question: str) -> None:
    from prompts.library import load

    rendered = load("zero_shot@1").render(
        {"dialect": "SQLite", "schema": "CREATE TABLE t (a);", "evidence": "", "question": question}
    )
    assert f"Question:\n\n{question}\n\nAnswer with" in rendered.messages[1].content


@pytest.mark.parametrize("question", ["{{ schema }} {% if %} {# x #}", "```sql\n`x`\n```", "ü" * 100_000, "\ud800 \0"])
def test_braces_backticks_and_length_do_not_matter(write: Write, question: str) -> None:
    assert read(write(GOOD)).render({**VALUES, "question": question}).messages[1].content == question


def test_a_missing_variable_is_named(write: Write) -> None:
    short = read(write(GOOD))
    with pytest.raises(UserError) as raised:
        short.render({"question": "How many?"})
    assert str(raised.value) == (
        f"{short.path}: prompt short@3 cannot be rendered: no value for 'dialect' (it is given question)"
    )


def test_a_missing_variable_is_an_error_in_a_condition_too(write: Write) -> None:
    with pytest.raises(UserError, match="no value for 'evidence'"):
        template(write, "{% if evidence %}x{% endif %}").render({})


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{{ question.__class__ }}", "'__class__' of a value of type str is out of reach"),
        ("{{ question['__class__'] }}", "'__class__' of a value of type str is out of reach"),
        ("{{ question.upper() }}", "'upper' of a value of type str is out of reach"),
        ("{{ '{0.__class__}'.format(question) }}", "'format' of a value of type str is out of reach"),
        ("{{ rows.pop() }}", "'pop' of a value of type list is out of reach"),
        ("{{ row.keys() }}", "'dict object' has no attribute 'keys'"),
        ("{{ [question] | map(attribute='__class__') | list }}", "out of reach"),
        ("{{ thing.anything }}", "'anything' of a value of type object is out of reach"),
        ("{{ row.missing }}", "'dict object' has no attribute 'missing'"),
        ("{{ question + 1 }}", "can only concatenate str"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ none_at_all }}", "a value is None"),
        ("{{ rows | map('string') }}", "a value of type generator has no text"),
        ("{{ self }}", "a value of type TemplateReference has no text"),
        ("{{ question | dictsort }}", "'str' object has no attribute 'items'"),
        ("{{ question * 1000000000000000 }}", "more memory than there is"),
        ("{{ 9 ** (9 ** 9) }}", "** is out of reach of a prompt"),
        ("{{ lipsum() }}", "no value for 'lipsum'"),
        ("{{ range(9) }}", "no value for 'range'"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "recursion"),
    ],
)
def test_a_template_reaches_its_values_and_nothing_else(write: Write, content: str, problem: str) -> None:
    values = {"question": "q", "rows": [1], "row": {"a": 1}, "thing": object(), "none_at_all": None}
    with pytest.raises(UserError) as raised:
        template(write, content).render(values)
    assert problem in str(raised.value)
    assert "prompt t@1 cannot be rendered" in str(raised.value)


def test_loops_and_mappings_work(write: Write) -> None:
    found = template(
        write,
        "{% for e in rows %}\n{{ loop.index }}. {{ e.question }} {{ e['sql'] }}\n{% endfor %}\n{{ pair[0] | upper }}",
    )
    values = {"rows": [{"question": "q", "sql": "s"}, {"question": "r", "sql": "t"}], "pair": ("x", "y")}
    assert found.render(values).messages[0].content == "1. q s\n2. r t\nX"


def test_templates_pickle(write: Write) -> None:
    short = read(write(GOOD))
    short.render(VALUES)
    assert pickle.loads(pickle.dumps(short)) == short
