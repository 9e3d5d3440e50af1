"""Chat formats, held to the templates that the makers of the models published."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlassay.chat_formats import FORMATS, chat_format
from sqlassay.errors import UserError
from sqlassay.messages import Message

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
TURNS = r"<\|\w+\|>|\[/?INST\]|</?s>|<</?SYS>>"


def published(name: str, messages: tuple[Message, ...]) -> str:
    """What the published template makes of messages, without the first token, which servers add."""

    def fail(message: str) -> None:
        raise AssertionError(message)

    first, last, template = PUBLISHED[name]
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)  # as transformers has it
    values: dict[str, Any] = {"bos_token": first, "eos_token": last, "raise_exception": fail}
    said = [{"role": message.role, "content": message.content} for message in messages]
    found = environment.from_string(template).render(messages=said, add_generation_prompt=True, **values)
    return found.removeprefix(first)


def test_every_format_has_its_published_template() -> None:
    assert set(FORMATS) == set(PUBLISHED)
    assert {name: found.name for name, found in FORMATS.items()} == {name: name for name in FORMATS}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_a_prompt_is_that_of_the_published_template(name: str, conversation: str) -> None:
    messages = CONVERSATIONS[conversation]
    assert FORMATS[name].prompt(messages) == published(name, messages)


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
