"""The prompts of a run: every byte that was sent, found by its digest, and each long text once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.jsonl import mend_tail
from evaluation.prompt_log import PROMPTS, PromptIndex, PromptLines, read_prompts
from evaluation.run_log import ITEMS, RunLog
from prompts.library import load
from prompts.template import RenderedPrompt
from sqlassay.errors import UserError
from sqlassay.messages import Message
from tests.evaluation.test_run_log import MANIFEST_VALUE, record, writing

SCHEMA = "CREATE TABLE t (\n  a INTEGER\n);\n" * 200


def rendered(question: str, schema: str = SCHEMA) -> RenderedPrompt:
    values = {"question": question, "evidence": "", "schema": schema, "dialect": "SQLite"}
    return load("zero_shot@1").render(values)


def written(folder: Path, *prompts: RenderedPrompt, conceal: Callable[[str], str] = str) -> Path:
    path = folder / PROMPTS
    lines = PromptLines(path, conceal)
    for prompt in prompts:
        lines.add(prompt)
    path.write_bytes(lines.take())
    return path


texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    messages=st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), texts), min_size=1),
    shared=st.lists(texts.filter(bool)),
    data=st.data(),
)
def test_what_is_read_is_what_was_sent(
    tmp_path_factory: pytest.TempPathFactory, messages: list[tuple[str, str]], shared: list[str], data: st.DataObject
) -> None:
    # Texts that stand in the messages, next to each other and within each other, are where cutting can go wrong.
    held = [
        Message(role, "".join(data.draw(st.permutations([text, *shared, *shared]))))  # type: ignore[arg-type]
        for role, text in messages
    ]
    prompt = RenderedPrompt.of(tuple(held), texts=tuple(shared))
    (read,) = read_prompts(written(tmp_path_factory.mktemp("run"), prompt)).values()
    assert (read.sha256, read.messages, read.altered) == (prompt.sha256, prompt.messages, False)


def test_a_schema_is_written_once(tmp_path: Path) -> None:
    prompts = [rendered(f"Question {number}?") for number in range(100)]
    path = written(tmp_path, *prompts, *prompts[:50])
    assert path.stat().st_size < 100 * 1_500 + len(SCHEMA) < 100 * len(SCHEMA)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert ["text" if "text" in line else "messages" for line in lines] == ["text"] + ["messages"] * 100
    assert {sha: one.messages for sha, one in read_prompts(path).items()} == {p.sha256: p.messages for p in prompts}


def test_the_wanted_ones_alone(tmp_path: Path) -> None:
    prompts = [rendered(f"Question {number}?", f"{SCHEMA}-- {number}") for number in range(3)]
    path = written(tmp_path, *prompts)
    assert list(read_prompts(path, {prompts[1].sha256, "unknown"})) == [prompts[1].sha256]
    assert read_prompts(tmp_path / "none.jsonl") == {}


def test_after_a_resume_nothing_is_written_again(tmp_path: Path) -> None:
    path = written(tmp_path, rendered("One?"))
    lines = PromptLines(path, str)
    lines.begin()
    lines.add(rendered("One?"))
    assert lines.take() == b""
    lines.add(rendered("Two?"))
    assert b'"text"' not in lines.take()


@pytest.mark.parametrize("schema", [SCHEMA, f"{SCHEMA}-- hunter2"])
def test_what_is_concealed_is_said_to_be(schema: str, tmp_path: Path) -> None:
    prompt = rendered("What is hunter2 in `t`?" if schema == SCHEMA else "How many?", schema)
    plain = rendered("How many?")
    path = written(tmp_path, prompt, plain, conceal=lambda text: text.replace("hunter2", "***"))
    assert "hunter2" not in path.read_text()
    found = read_prompts(path)
    assert (found[prompt.sha256].altered, found[plain.sha256].altered) == (True, False)
    assert "***" in found[prompt.sha256].messages[1].content


def test_lone_surrogates_are_no_text_and_said_to_be_altered(tmp_path: Path) -> None:
    prompt = rendered("What is \udc80?")
    (found,) = read_prompts(written(tmp_path, prompt)).values()
    assert found.altered
    assert "What is \\udc80?" in found.messages[1].content


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("One?", "Two?", "is not what was sent: it has another digest (restore the file)"),
        ("INTEGER", "TEXT", "is not what was sent: it has another digest (restore the file)"),
        ('"text"', '"txt"', "not a record of prompts: "),
        ('"content"', '"contents"', "not a record of prompts: "),
    ],
)
def test_a_file_that_was_changed_is_refused(old: str, new: str, problem: str, tmp_path: Path) -> None:
    path = written(tmp_path, rendered("One?"))
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UserError) as raised:
        read_prompts(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert problem in str(raised.value)


def test_a_prompt_is_on_disk_before_its_item(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt = rendered("One?")
    seen: list[tuple[str, bool]] = []

    async def work(log: RunLog) -> None:
        write = log._write

        def watched(prompts: bytes, items: bytes) -> None:
            def flushed(descriptor: int) -> None:
                name = Path(f"/proc/self/fd/{descriptor}").readlink().name
                seen.append((name, (tmp_path / ITEMS).stat().st_size > 0))

            monkeypatch.setattr("os.fsync", flushed)
            write(prompts, items)

        monkeypatch.setattr(log, "_write", watched)
        log.keep(prompt)
        await log.append(record(0))
        await log.append(record(1))
        monkeypatch.undo()

    writing(tmp_path, work)
    assert seen == [(PROMPTS, False), (ITEMS, True), (ITEMS, True)]
    assert set(read_prompts(tmp_path / PROMPTS)) == {prompt.sha256}


def test_what_was_asked_is_kept_when_no_answer_came(tmp_path: Path) -> None:
    async def work(log: RunLog) -> None:
        await log.append(record(0))
        log.keep(rendered("One?"))

    writing(tmp_path, work)
    assert len(read_prompts(tmp_path / PROMPTS)) == 1


def test_a_torn_last_line_is_cut_off(tmp_path: Path) -> None:
    async def one(log: RunLog) -> None:
        log.keep(rendered("One?"))

    async def two(log: RunLog) -> None:
        log.keep(rendered("Two?"))

    writing(tmp_path, one)
    with (tmp_path / PROMPTS).open("ab") as file:
        file.write(b'{"sha256":"ab')
    assert len(read_prompts(tmp_path / PROMPTS)) == 1
    writing(tmp_path, two)
    assert len(read_prompts(tmp_path / PROMPTS)) == 2


def test_a_full_disk_keeps_the_item_back(tmp_path: Path) -> None:
    async def main() -> None:
        log = RunLog(tmp_path)
        log.begin(dict(MANIFEST_VALUE))
        log._files[PROMPTS].close()
        log._files[PROMPTS] = Path("/dev/full").open("ab")  # noqa: SIM115 - closed with the log
        log.keep(rendered("One?"))
        with pytest.raises(UserError, match=r"prompts\.jsonl: cannot be written: No space left on device"):
            await log.append(record(0))
        await log.close()

    asyncio.run(main())
    assert (tmp_path / ITEMS).read_bytes() == b""


def test_an_index_finds_the_same_while_the_file_grows(tmp_path: Path) -> None:
    path = tmp_path / PROMPTS
    index = PromptIndex(path)
    assert index.find("0" * 64) is None
    lines = PromptLines(path, str)
    schema = "CREATE TABLE t (a); " * 20
    for number in range(3):
        prompt = RenderedPrompt.of((Message("user", f"{schema}\n{number}?"),), texts=(schema,))
        lines.add(prompt)
        with path.open("ab") as file:
            file.write(lines.take() + b'{"sha256":"torn')
        assert index.find(prompt.sha256) == read_prompts(path)[prompt.sha256]
        mend_tail(path)
