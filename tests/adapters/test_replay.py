"""Recorded answers: which line answers, and what a wrong file says."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.base import FinishReason, GenerationRequest, ModelAdapter, Usage
from adapters.errors import AnswerNotRecorded, ModelNotFound
from adapters.replay import ReplayAdapter
from sqlassay.errors import UserError
from tests.conformance.adapter import REQUEST, AdapterConformance, run

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*lines: dict[str, object]) -> Path:
        path = tmp_path / "answers.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        return path

    return write


def ask(adapter: ModelAdapter, request: GenerationRequest = REQUEST) -> str:
    return run(adapter, lambda a: a.generate(request)).text


class TestConformance(AdapterConformance):
    adapter = ReplayAdapter

    @pytest.fixture(autouse=True)
    def _file(self, write: Write) -> None:
        self.path = write(
            {"question_id": "q1", "answer": self.answer}, {"question_id": "q2", "answer": "", "model": "b"}
        )

    def working(self) -> ModelAdapter:
        return ReplayAdapter("a", path=self.path)

    def failing(self) -> ModelAdapter:
        empty = self.path.with_name("empty.jsonl")
        empty.write_text("", "utf-8")
        return ReplayAdapter("a", path=empty)


def test_what_is_read_from_a_line(write: Write) -> None:
    path = write(
        {
            "question_id": "q1",
            "answer": "SELECT 'ü'",
            "finish_reason": "length",
            "usage": {"input_tokens": 9, "output_tokens": 0, "cached_tokens": None},
            "note": {"by": ["hand"]},
        }
    )
    found = run(ReplayAdapter("a", path=path), lambda a: a.generate(REQUEST))
    assert (found.text, found.finish_reason, found.model) == ("SELECT 'ü'", FinishReason.LENGTH, "a")
    assert found.usage == Usage(input_tokens=9, output_tokens=0)
    assert found.seconds == 0
    assert found.dropped == ()


FIELDS = {"model": "a", "prompt": "zero_shot@1", "dialect": "sqlite", "repeat": 0}
SUBSETS = [subset for size in range(5) for subset in itertools.combinations(FIELDS, size)]


def test_the_most_specific_line_answers(write: Write) -> None:
    """More fields first; among as many, model before prompt before dialect."""
    precedence = sorted(SUBSETS, key=lambda subset: (-len(subset), [name not in subset for name in FIELDS]))
    lines = {
        subset: {"question_id": "q1", "answer": " ".join(subset), **{name: FIELDS[name] for name in subset}}
        for subset in SUBSETS
    }
    for i, expected in enumerate(precedence):
        path = write(*(lines[subset] for subset in reversed(precedence[i:])))
        assert ask(ReplayAdapter("a", path=path)) == " ".join(expected)


@pytest.mark.parametrize(
    "change", [{"model": "b"}, {"prompt": "zero_shot@2"}, {"dialect": "duckdb"}, {"repeat": 1}, {"question_id": "q"}]
)
def test_a_line_that_differs_does_not_answer(write: Write, change: dict[str, object]) -> None:
    line = {"question_id": "q1", "answer": "no", **FIELDS, **change}
    adapter = ReplayAdapter("a", path=write(line, {"question_id": "q1", "answer": "yes"}))
    assert ask(adapter) == "yes"


def test_models_share_a_file(write: Write) -> None:
    path = write(*({"question_id": "q1", "answer": f"by {model}", "model": model} for model in "abc"))
    assert [ask(ReplayAdapter(model, path=path)) for model in "abc"] == ["by a", "by b", "by c"]
    assert [info.id for info in run(ReplayAdapter("a", path=path), lambda a: a.list_models())] == ["a", "b", "c"]


def test_repeats_can_differ(write: Write) -> None:
    path = write(
        {"question_id": "q1", "answer": "first", "repeat": 0},
        {"question_id": "q1", "answer": "other"},
    )
    adapter = ReplayAdapter("a", path=path)
    assert [ask(adapter, replace(REQUEST, repeat=i)) for i in range(3)] == ["first", "other", "other"]


def test_numbers_as_question_ids(write: Write) -> None:
    adapter = ReplayAdapter("a", path=write({"question_id": 17, "answer": "yes"}))
    assert ask(adapter, replace(REQUEST, question_id="17")) == "yes"


def test_a_question_without_an_answer(write: Write) -> None:
    path = write({"question_id": "q2", "answer": ""})
    with pytest.raises(AnswerNotRecorded) as raised:
        ask(ReplayAdapter("a", path=path))
    assert str(raised.value) == (
        f"replay a: {path} has no answer for question_id 'q1', model 'a', prompt 'zero_shot@1', dialect 'sqlite',"
        " repeat 0"
    )
    assert not raised.value.retryable
    assert not raised.value.stops_model


def test_a_model_without_any_answer(write: Write) -> None:
    adapter = ReplayAdapter("a", path=write({"question_id": "q1", "answer": "", "model": "b"}))
    with pytest.raises(ModelNotFound, match="holds no answers of this model"):
        ask(adapter)
    result = run(adapter, lambda a: a.check())
    assert [check.remedy for check in result.checks] == ["the file holds answers of b"]


GOOD = '{"question_id": "q1", "answer": "a"}'


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "not valid JSON: Expecting property name"),
        ("[" * 100_000, "not valid JSON: "),
        ("[]", "a line must be a JSON object"),
        ('{"question_id": "q"}', "the key 'answer' is missing"),
        ('{"answer": "q"}', "the key 'question_id' is missing"),
        ('{"question_id": null, "answer": "q"}', "the key 'question_id' is missing"),
        ('{"question_id": true, "answer": "q"}', "'question_id' must be text"),
        ('{"question_id": "q", "answer": 5}', "'answer' must be text"),
        ('{"question_id": "q", "answer": "", "modle": "a"}', "unknown key 'modle' (did you mean 'model'?)"),
        ('{"question_id": "q", "answer": "", "model": 4}', "'model' must be text"),
        ('{"question_id": "q", "answer": "", "repeat": "0"}', "'repeat' must be a whole number, not below 0"),
        ('{"question_id": "q", "answer": "", "repeat": true}', "'repeat' must be a whole number, not below 0"),
        ('{"question_id": "q", "answer": "", "repeat": -1}', "'repeat' must be a whole number, not below 0"),
        ('{"question_id": "q", "answer": "", "finish_reason": "stopp"}', "unknown finish_reason 'stopp'"),
        ('{"question_id": "q", "answer": "", "usage": 5}', "'usage' must be an object"),
        ('{"question_id": "q", "answer": "", "usage": {"tokens": 5}}', "unknown key of usage 'tokens'"),
        ('{"question_id": "q", "answer": "", "usage": {"input_tokens": 1.5}}', "'input_tokens' must be a whole"),
        ("\udcff\udcfe", "not text in UTF-8"),
    ],
)
def test_a_wrong_line_is_an_error_that_names_it(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(f"{GOOD}\n\n{line}\n".encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError) as raised:
        ReplayAdapter("b", path=path)
    assert str(raised.value).startswith(f"{path}: line 3: {problem}")
    assert "\n" not in str(raised.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path, problem in ((tmp_path / "none.jsonl", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(UserError, match=f"cannot read the recorded answers: {problem}"):
            ReplayAdapter("a", path=path)


def test_two_lines_for_the_same_requests_are_an_error_that_names_both(write: Write) -> None:
    line: dict[str, object] = {"question_id": "q1", "answer": "x", "model": "a"}
    path = write(
        {"question_id": "q0", "answer": ""}, line, {"question_id": "q1", "answer": ""}, {**line, "answer": "y"}
    )
    with pytest.raises(UserError) as raised:
        ReplayAdapter("a", path=path)
    assert str(raised.value).startswith(f"{path}: lines 2 and 4 answer the same requests of question 'q1'")


@pytest.mark.parametrize("text", [f"\ufeff{GOOD}", f"\n\n{GOOD}\r\n\r\n", GOOD])
def test_line_ends_and_byte_order_mark(tmp_path: Path, text: str) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(text.encode())
    adapter = ReplayAdapter("m", path=path)
    assert ask(adapter) == "a"
    assert adapter.identity["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("change", ["changed", "gone"])
def test_a_file_that_does_not_stay_the_same(write: Write, change: str) -> None:
    path = write({"question_id": "q1", "answer": "one"})
    adapter = ReplayAdapter("a", path=path)
    if change == "changed":
        write({"question_id": "q1", "answer": "three"})
    else:
        path.unlink()
    with pytest.raises(AnswerNotRecorded, match=r"changed while they were in use|cannot read"):
        ask(adapter)


def test_hashes_that_collide(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.answers_file.hash", lambda key: 7, raising=False)
    path = write(*({"question_id": f"q{i}", "answer": str(i)} for i in range(5)))
    adapter = ReplayAdapter("a", path=path)
    assert [ask(adapter, replace(REQUEST, question_id=f"q{i}")) for i in range(5)] == list("01234")
    with pytest.raises(AnswerNotRecorded):
        ask(adapter, replace(REQUEST, question_id="q5"))
    with pytest.raises(UserError, match="lines 1 and 3"):
        ReplayAdapter("a", path=write(*({"question_id": q, "answer": ""} for q in ("x", "y", "x"))))


def test_many_threads_and_loops(write: Write) -> None:
    adapter = ReplayAdapter("a", path=write(*({"question_id": f"q{i}", "answer": f"a{i}"} for i in range(200))))
    wrong: list[int] = []

    async def read(start: int) -> None:
        for i in range(start, 200, 4):
            completion = await adapter.generate(replace(REQUEST, question_id=f"q{i}"))
            wrong.extend([i] if completion.text != f"a{i}" else [])

    threads = [threading.Thread(target=asyncio.run, args=(read(start),)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_memory_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for i in range(20_000):
            file.write(f'{{"question_id": "q{i}", "answer": "```sql\\nSELECT {i} FROM {"a_table" * 20}\\n```"}}\n')
    tracemalloc.start()
    adapter = ReplayAdapter("a", path=path)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert ask(adapter, replace(REQUEST, question_id="q17777")).startswith("```sql\nSELECT 17777 FROM")
    assert kept < 20_000 * 32
