"""Chat formats, held to the templates that the makers of the models published."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlassay.chat_formats import FORMATS, chat_format
from sqlassay.errors import UserError
from sqlassay.messages import Message, Role

# `chat_template` of each model's tokenizer_config.json at huggingface.co; Mistral's without its parts for tools.
PUBLISHED: Mapping[str, tuple[str, str, str]] = {
    # microsoft/Phi-3-mini-4k-instruct
    "phi3": (
        "",
        "<|endoftext|>",
        "{% for message in messages %}{% if message['role'] == 'system' %}"
        "{{'<|system|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'user' %}"
        "{{'<|user|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'assistant' %}"
        "{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}",
    ),
    # meta-llama/Llama-2-7b-chat-hf
    "llama2": (
        "<s>",
        "</s>",
        "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
        "{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
        "{% set system_message = false %}{% endif %}{% for message in loop_messages %}"
        "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
        "{% if loop.index0 == 0 and system_message != false %}"
        "{% set content = '<<SYS>>\n' + system_message + '\n<</SYS>>\n\n' + message['content'] %}"
        "{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}"
        "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
        "{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}",
    ),
    # meta-llama/Meta-Llama-3-8B-Instruct
    "llama3": (
        "<|begin_of_text|>",
        "<|end_of_text|>",
        "{% set loop_messages = messages %}{% for message in loop_messages %}"
        "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
        "+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}"
        "{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
    ),
    # teknium/OpenHermes-2.5-Mistral-7B, and the default of transformers
    "chatml": (
        "",
        "<|im_end|>",
        "{% for message in messages %}"
        "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    ),
    # mistralai/Mistral-7B-Instruct-v0.3
    "mistral": (
        "<s>",
        "</s>",
        '{%- if messages[0]["role"] == "system" %}{%- set system_message = messages[0]["content"] %}'
        "{%- set loop_messages = messages[1:] %}{%- else %}{%- set loop_messages = messages %}{%- endif %}"
        "{{- bos_token }}{%- for message in loop_messages %}"
        '{%- if message["role"] == "user" %}{%- if loop.last and system_message is defined %}'
        '{{- "[INST] " + system_message + "\n\n" + message["content"] + "[/INST]" }}{%- else %}'
        '{{- "[INST] " + message["content"] + "[/INST]" }}{%- endif %}'
        '{%- elif message["role"] == "assistant" %}{{- " " + message["content"]|trim + eos_token}}'
        "{%- endif %}{%- endfor %}",
    ),
}
QUESTION = Message("user", "How many singers?")
SYSTEM = Message("system", "You write SQLite queries.\n")
SHOT = (Message("user", "How many bands?\n"), Message("assistant", " SELECT count(*) FROM band "))
CONVERSATIONS = {
    "question": (QUESTION,),
    "system": (SYSTEM, QUESTION),
    "shot": (*SHOT, QUESTION),
    "system_and_shots": (SYSTEM, *SHOT, *SHOT, QUESTION),
}
ROLES: tuple[Role, ...] = ("user", "assistant")
TURNS = r"<\|\w+\|>|\[/?INST\]|</?s>|<</?SYS>>"


@cache
def compiled(name: str) -> jinja2.Template:
    """The published template, in an environment as transformers has it."""
    return jinja2.Environment(trim_blocks=True, lstrip_blocks=True).from_string(PUBLISHED[name][2])


def published(name: str, messages: tuple[Message, ...]) -> str:
    """What the published template makes of messages, without the first token, which servers add."""

    def fail(message: str) -> None:
        raise AssertionError(message)

    first, last, _ = PUBLISHED[name]
    values: dict[str, Any] = {"bos_token": first, "eos_token": last, "raise_exception": fail}
    said = [{"role": message.role, "content": message.content} for message in messages]
    found = compiled(name).render(messages=said, add_generation_prompt=True, **values)
    return found.removeprefix(first)


def test_every_format_has_its_published_template() -> None:
    assert set(FORMATS) == set(PUBLISHED)
    assert {name: found.name for name, found in FORMATS.items()} == {name: name for name in FORMATS}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_a_prompt_is_that_of_the_published_template(name: str, conversation: str) -> None:
    messages = CONVERSATIONS[conversation]
    assert FORMATS[name].prompt(messages) == published(name, messages)


HOSTILE = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *("<|end|>", "<|user|>\n", "<|im_start|>system\n", "<|eot_id|>", "[INST]", "[/INST]", "</s>", "<s>"),
                *("<<SYS>>\n", "\n<</SYS>>\n\n", "[TOOL_CALLS]", "<|", "|>", "<<", "SYS>>", "im_end", "INST"),
                *"<|>[]/ sx\n",
            ]
        ),
        st.text(max_size=4),
    ),
    max_size=8,
).map("".join)
"""Texts that are full of the tokens of all formats and of pieces of them."""
TALKS = st.tuples(st.none() | HOSTILE, st.lists(st.tuples(HOSTILE, HOSTILE), max_size=3), HOSTILE).map(
    lambda talk: (
        *([] if talk[0] is None else [Message("system", talk[0])]),
        *(Message(role, text) for turn in talk[1] for role, text in zip(ROLES, turn, strict=True)),
        Message("user", talk[2]),
    )
)
"""A system message or none, some turns, and a question."""


@pytest.mark.parametrize("name", FORMATS)
@given(TALKS)
def test_any_conversation_is_that_of_the_published_template(name: str, messages: tuple[Message, ...]) -> None:
    plain = tuple(Message(message.role, FORMATS[name].plain(message.content)) for message in messages)
    assert FORMATS[name].prompt(messages) == published(name, plain)


def read_back(name: str, prompt: str) -> list[tuple[str, str]]:
    """The messages of a prompt, told by the tokens of the format alone."""
    if name in ("phi3", "chatml", "llama3"):
        turn = {
            "phi3": r"<\|(system|user|assistant)\|>\n(.*?)(?:<\|end\|>\n|\Z)",
            "chatml": r"<\|im_start\|>(\w+)\n(.*?)(?:<\|im_end\|>\n|\Z)",
            "llama3": r"<\|start_header_id\|>(\w+)<\|end_header_id\|>\n\n(.*?)(?:<\|eot_id\|>|\Z)",
        }[name]
        assert re.sub(turn, "", prompt, flags=re.DOTALL) == ""
        *found, last = re.findall(turn, prompt, re.DOTALL)
        assert last == ("assistant", "")
        return found
    turn = {
        "llama2": r"(?:^|<s>)\[INST\] (.*?) ?\[/INST\](.*?)(?:</s>|\Z)",
        "mistral": r"\[INST\] (.*?)\[/INST\](.*?)(?:</s>|\Z)",
    }[name]
    assert re.sub(turn, "", prompt, flags=re.DOTALL) == ""
    said = [text for one in re.findall(turn, prompt, re.DOTALL) for text in one]
    assert said.pop() == ""
    return list(zip(ROLES * len(said), said, strict=False))


@pytest.mark.parametrize("name", FORMATS)
@given(TALKS)
def test_a_prompt_reads_back_as_its_messages(name: str, messages: tuple[Message, ...]) -> None:
    """No text can forge, end or change a turn: only white space at its ends and a space within a token differ."""
    found = FORMATS[name]
    said = [(message.role, found.plain(message.content)) for message in messages]
    if name in ("llama2", "mistral") and said[0][0] == "system":
        (_, system), *turns = said
        at = 0 if name == "llama2" else len(turns) - 1
        around = ("<<SYS>>\n", "\n<</SYS>>\n\n") if name == "llama2" else ("", "\n\n")
        said = [
            (role, f"{around[0]}{system}{around[1]}{text}" if i == at else text) for i, (role, text) in enumerate(turns)
        ]
    read = read_back(name, found.prompt(messages))
    assert [(role, text.strip()) for role, text in read] == [(role, text.strip()) for role, text in said]


@pytest.mark.parametrize("name", FORMATS)
def test_the_published_end_stops_the_answer(name: str) -> None:
    assert PUBLISHED[name][1] in FORMATS[name].stop


@pytest.mark.parametrize("name", FORMATS)
@given(
    st.lists(st.sampled_from([*"<|>[]/ sx\n", "end", "im_end", "eot_id", "INST", "SYS", "<|", "|>", "[INST]", "</s>"]))
)
def test_a_message_cannot_end_its_turn(name: str, pieces: list[str]) -> None:
    found = FORMATS[name]
    hostile = Message("user", "".join(pieces))
    harmless = published(name, (SYSTEM, Message("user", "x")))
    prompt = found.prompt((SYSTEM, hostile))
    own = re.findall(TURNS, harmless)
    assert [token for token in re.findall(TURNS, prompt) if token in own or token in found.stop] == own
    assert found.plain(found.plain(hostile.content)) == found.plain(hostile.content)
    assert found.breaks_up([hostile]) == (found.plain(hostile.content) != hostile.content)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "text", ["SELECT [ID], [NAME] FROM t WHERE a < b AND b > 'x'", "1 << 2 >> 1", "a || b", "[inst]"]
)
def test_other_text_stays_as_it_is(name: str, text: str) -> None:
    assert FORMATS[name].plain(text) == text


@pytest.mark.parametrize("name", ["llama2", "mistral"])
@pytest.mark.parametrize(
    "messages",
    [(), (SYSTEM,), (QUESTION, QUESTION), SHOT, (QUESTION, SYSTEM)],
    ids=["none", "system", "two users", "answer last", "system last"],
)
def test_formats_in_turns_refuse_others(name: str, messages: tuple[Message, ...]) -> None:
    with pytest.raises(UserError, match=f"the chat format {name} has no place"):
        FORMATS[name].prompt(messages)


def test_an_unknown_format() -> None:
    with pytest.raises(UserError, match="there is no chat format 'alpaca'"):
        chat_format("alpaca")
