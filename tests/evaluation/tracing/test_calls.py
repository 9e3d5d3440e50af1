"""What was asked besides the answer is in the trace: of composite models, of both attempts, and of judges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluation.tracing.acknowledged import ACKNOWLEDGED
from tests.evaluation.judging.court import Court, ballot
from tests.evaluation.world import GOLD, World, model_at
from tests.providers.langfuse_copy import LangfuseCopy

BROKEN = "SELECT cnt FROM singer"
OBSERVATION = "langfuse.observation."


def published(world: World, server: LangfuseCopy, **experiment: Any) -> dict[str, dict[str, Any]]:
    """The spans of the trace of each question by their names; sent twice, all are there once."""
    assert world.run("run", world.experiment(max_instrument_failures=1.0, **experiment), "--quiet") == 0
    (run,) = world.run_folders()
    assert world.run("langfuse", "publish", run, "--patience", "0") == 0
    before = json.dumps([server.traces, server.scores], sort_keys=True)
    (run / ACKNOWLEDGED).unlink()
    assert world.run("langfuse", "publish", run, "--patience", "0") == 0
    assert json.dumps([server.traces, server.scores], sort_keys=True) == before
    found = {}
    for spans in server.traces.values():
        (root,) = [span for span in spans.values() if not span["parent"]]
        assert all(root["start"] <= span["start"] <= span["end"] <= root["end"] for span in spans.values())
        names = {own: span["name"] for own, span in spans.items()}
        found[root["name"]] = {
            span["name"]: {**span["attributes"], "parent": names.get(span["parent"], "")} for span in spans.values()
        }
        assert len(found[root["name"]]) == len(spans)
    return found


def told(span: dict[str, Any], key: str) -> Any:
    return json.loads(span[OBSERVATION + key])


def test_both_attempts_of_a_model_that_repairs(world: World, langfuse: LangfuseCopy) -> None:
    world.questions(2)
    lines = [
        {"question_id": "q0", "prompt": "zero_shot@1", "answer": f"```sql\n{BROKEN}\n```"},
        {"question_id": "q0", "prompt": "self_correct@1", "answer": f"```sql\n{GOLD}\n```"},
        {"question_id": "q1", "prompt": "zero_shot@1", "answer": "```sql\nSELECT 7\n```"},
    ]
    (world.folder / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    tape = {
        "adapter": "replay",
        "model": "tape",
        "settings": {"path": "answers.jsonl"},
        "parameters": {"temperature": 0},
    }
    traces = published(world, langfuse, models=[{"repair": {"model": tape, "attempts": 1}}])
    mended = traces["question q0"]
    assert mended["execute: attempt 1"][OBSERVATION + "input"] == BROKEN
    assert mended["execute: attempt 1"][OBSERVATION + "level"] == "ERROR"
    assert told(mended["execution_match"], "output")["reason"] == "match"
    first = mended["execution_match (first attempt)"]
    assert (first[OBSERVATION + "type"], first[OBSERVATION + "input"]) == ("evaluator", BROKEN)
    assert told(first, "output")["reason"] == "unknown_column"
    assert told(mended["generate"], "model.parameters") == {"temperature": 0}  # of the one model that it is made of
    assert "execution_match (first attempt)" not in traces["question q1"]  # there was one attempt


def test_models_that_are_asked_with_different_things(world: World, langfuse: LangfuseCopy) -> None:
    world.questions(1)
    world.answers({"q0": GOLD})
    tape = {"adapter": "replay", "model": "tape", "settings": {"path": "answers.jsonl"}}
    members = [{**tape, "label": name, "parameters": {"temperature": t}} for name, t in (("a", 0), ("b", 1))]
    generation = published(world, langfuse, models=[{"fallback": members}])["question q0"]["generate"]
    assert OBSERVATION + "model.parameters" not in generation  # rather none than those of another


@pytest.mark.parametrize("mask_rows", [False, True])
def test_judges(world: World, langfuse: LangfuseCopy, mask_rows: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret-of-the-judge")
    world.questions(2)
    world.answers({"q0": f"```sql\n{GOLD}\n```", "q1": "```sql\nSELECT count(*) + 1 FROM singer\n```"})
    with Court(kind=lambda _: ballot("correct"), strict=lambda _: ballot("incorrect", "wrong_aggregation")) as court:
        judges = [
            model_at(court.base_url, name, parameters={"temperature": t}) for t, name in enumerate(("kind", "strict"))
        ]
        strategies = ["execution_match", {"strategy": "llm_judge", "judges": judges}, "execution_match:bird"]
        more = {"strategies": strategies, "langfuse": {"mask_rows": mask_rows}}
        monkeypatch.setattr("evaluation.tracing.live.LEAST", 30.0)
        traces = published(world, langfuse, **more)
    settled, asked = traces["question q0"], traces["question q1"]
    assert not any(name.startswith("judge") for name in settled)
    for number, name in enumerate(("kind", "strict")):
        span = asked[f"judge: {name}"]
        assert (span["parent"], span[OBSERVATION + "type"]) == ("llm_judge", "generation")
        assert (span[OBSERVATION + "model.name"], told(span, "metadata.model_name")) == ("good-2026-01-01", name)
        assert told(span, "model.parameters")["temperature"] == number
        assert told(span, "usage_details")["input"] > 0
        shown = "[masked: " in span[OBSERVATION + "output"], "singer" in span[OBSERVATION + "input"]
        assert shown == (mask_rows, not mask_rows)
    assert {span["parent"] for name, span in asked.items() if not name.startswith("judge")} == {"", "question q1"}


def test_a_folder_from_before(world: World, langfuse: LangfuseCopy) -> None:
    """A record without what was added later is sent as it ever was."""
    world.questions(1)
    world.answers({"q0": GOLD})
    assert world.run("run", world.experiment(), "--quiet") == 0
    (run,) = world.run_folders()
    items = Path(run / "items.jsonl")
    line = json.loads(items.read_text())
    for key in ("judging", "first", "calls", "history", "answered_by", "route", "note"):
        line.pop(key)
    items.write_text(json.dumps(line) + "\n")
    assert world.run("langfuse", "publish", run, "--patience", "0") == 0
    (spans,) = langfuse.traces.values()
    names = ["question q0", "render", "generate", "execute gold", "execute prediction", "execution_match"]
    assert [span["name"] for span in spans.values()] == names
