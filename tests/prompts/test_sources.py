"""Templates from and for elsewhere render to the same text there and here."""

from __future__ import annotations

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.rendering import compiled
from prompts.sources import Variable, from_mustache, from_plain_jinja, pieces_of, template_of, to_plain_jinja

TEXTS = st.lists(
    st.sampled_from([*"{}%#-+ \n\tx'", "{{", "}}", "{%", "%}", "{#", "\r\n", "raw"]) | st.text(max_size=3)
).map("".join)
TAGS = st.lists(
    st.sampled_from(
        [
            *("{% if a %}", "{% else %}", "{% endif %}", "{{ a }}", "{# c #}", "{%- if a -%}", "{%- endif %}"),
            *("{% raw %}{{ x }}{% endraw %}", "{% raw -%}", "{%+ if a +%}", "%}", "#}", "}}"),
            *(" ", "\n", "\n\n", "x", "\t"),
        ]
    )
).map("".join)


@given(st.lists(TEXTS | st.sampled_from([Variable("a"), Variable("b")])))
def test_texts_come_out_as_they_are(pieces: list[str | Variable]) -> None:
    rendered = compiled(template_of(pieces)).render({"a": "<{{ b }}>", "b": "{% c\n"})
    values = {"a": "<{{ b }}>", "b": "{% c\n"}
    assert rendered == "".join(values[one.name] if isinstance(one, Variable) else one for one in pieces)


@given(TAGS)
def test_jinja_with_other_settings_renders_to_the_same(source: str) -> None:
    theirs = jinja2.Environment()
    try:
        wanted = theirs.from_string(source).render(a="1")
    except jinja2.TemplateError:
        return
    assert compiled(from_plain_jinja(source)).render({"a": "1"}) == wanted
    ours = compiled(source).render({"a": "1"})
    assert theirs.from_string(to_plain_jinja(source)).render(a="1") == ours


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Answer {{question}}", "Answer {{ question }}"),
        ("{{ a }}{{b}}", "{{ a }}{{ b }}"),
        ('{"sql": "{{sql}}"}', '{"sql": "{{ sql }}"}'),
        ("{{not a name}} {% x %}", "{{ '{' }}{not a name}} {{ '{' }}% x %}"),
        ("{{#if}}", "{{ '{' }}{{ '{' }}#if}}"),
        ("end\n", "end\n\n"),
    ],
)
def test_mustache(text: str, source: str) -> None:
    assert from_mustache(text) == source


@pytest.mark.parametrize(
    ("source", "pieces"),
    [
        ("a {{ b }}\n", ("a ", Variable("b"))),
        ("{{- b }} c", (Variable("b"), " c")),
        ("{{ b | upper }}", None),
        ("{{ b.c }}", None),
        ("{% if b %}c{% endif %}", None),
        ("{# b #}", None),
        ("", ()),
    ],
)
def test_pieces(source: str, pieces: tuple[str | Variable, ...] | None) -> None:
    assert pieces_of(source) == pieces
