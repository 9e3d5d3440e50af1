"""What comes back from Langfuse: datasets, and people's labels."""

from __future__ import annotations

import json
import shutil
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from evaluation.calibration.truth import LabelledTruth
from evaluation.datasets.base import DATASETS
from evaluation.datasets.digest import dataset_digest
from evaluation.datasets.langfuse import LangfuseDataset
from evaluation.datasets.opening import open_dataset
from evaluation.run_log import RunFolder
from evaluation.tracing.subject import Attempt, CopySettings, Subject
from sqlassay.errors import UnknownName, UserError
from tests.evaluation.world import World
from tests.providers.langfuse_copy import ITEMS, TIME, LangfuseCopy


@pytest.fixture
def run(asked: World, finished: Path, langfuse: LangfuseCopy) -> Path:
    run = Path(shutil.copytree(finished, asked.runs / finished.name))
    assert asked.run("langfuse", "publish", run, "--dataset", "team/singers") == 0
    return run


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATASETS._loaded, "langfuse", LangfuseDataset)


def test_a_dataset_comes_back_as_it_was(asked: World, run: Path, langfuse: LangfuseCopy) -> None:
    opened = open_dataset("langfuse:team/singers")
    original = open_dataset(f"jsonl:{asked.folder / 'questions.jsonl'}")
    assert list(opened.questions()) == list(original.questions())
    assert dataset_digest(open_dataset("langfuse:team/singers")) == dataset_digest(opened)
    langfuse.items[next(iter(langfuse.items))]["expectedOutput"] = "SELECT 0"
    assert dataset_digest(open_dataset("langfuse:team/singers")) != dataset_digest(opened)


def test_a_run_over_it(asked: World, run: Path, langfuse: LangfuseCopy) -> None:
    dataset = {"format": "langfuse", "path": "team/singers", "databases": "databases"}
    assert asked.run("run", asked.experiment(dataset=dataset, max_instrument_failures=1.0), "--quiet") == 0
    again = [item["verdicts"] for item in RunFolder(asked.run_folders()[-1]).raw_items()]
    assert again == [item["verdicts"] for item in RunFolder(run).raw_items()]


def test_a_version_is_a_time(run: Path, langfuse: LangfuseCopy) -> None:
    langfuse.queries.clear()
    assert len(list(open_dataset("langfuse:team/singers@2026-01-31T12:00:00Z").questions())) == 5
    assert langfuse.queries[ITEMS]["version"] == "2026-01-31T12:00:00Z"
    for wrong in ("2026-01-31", "2026-13-31T12:00:00Z"):
        with pytest.raises(UserError, match="is no time in UTC"):
            open_dataset(f"langfuse:team/singers@{wrong}")


def test_items_of_others(run: Path, langfuse: LangfuseCopy) -> None:
    langfuse.datasets["other"] = "dataset-9"

    def add(id_: str, **more: Any) -> None:
        asked = {"question": "Who?", "db_id": "show"}
        langfuse.items[id_] = {"id": id_, "datasetName": "other", "metadata": None, "expectedOutput": None, **more}
        langfuse.items[id_].setdefault("input", asked)

    add("i10", expectedOutput={"sql": ["SELECT 1", "SELECT 2"]})
    add("i9", expectedOutput="SELECT 3", metadata={"difficulty": "easy", "unknown": 1})
    add("gone", status="ARCHIVED")
    first, second = open_dataset("langfuse:other").questions()
    assert (first.id, first.gold, first.difficulty) == ("i9", ("SELECT 3",), "easy")
    assert (second.id, second.gold) == ("i10", ("SELECT 1", "SELECT 2"))
    add("i11", input="Who?")
    with pytest.raises(UserError, match="item i11: its input is no object with question and db_id"):
        open_dataset("langfuse:other")


def test_an_unknown_dataset_and_a_server_that_does_not_answer(run: Path, langfuse: LangfuseCopy) -> None:
    with pytest.raises(UnknownName, match="did you mean 'team/singers'"):
        open_dataset("langfuse:team/singer")
    langfuse.faults[ITEMS] = deque([503])
    with pytest.raises(UserError, match="answered with the HTTP status 503"):
        open_dataset("langfuse:team/singers")
    langfuse.ill = 401
    with pytest.raises(UserError, match="does not accept the keys"):
        open_dataset("langfuse:team/singers")


def trace_of(run: RunFolder, item: str) -> str:
    started = {one["id"]: one["started"] for one in run.raw_items()}
    return Subject(run.manifest, CopySettings()).trace_id(Attempt(item, started.get(item, "")))


def annotate(server: LangfuseCopy, run: Path, item: str, value: object, kind: str = "BOOLEAN", **more: Any) -> None:
    folder = RunFolder(run)
    trace = trace_of(folder, item)
    fixed = {"projectId": "p", "source": "ANNOTATION", "timestamp": TIME, "environment": "default"}
    subject = {"kind": "trace", "id": trace}
    server.annotations.append(
        {
            "id": f"s{len(server.annotations)}",
            "name": "right",
            **fixed,
            "createdAt": TIME,
            "updatedAt": TIME,
            "dataType": kind,
            "value": value,
            "subject": subject,
            **more,
        }
    )


def test_what_people_said_becomes_labels(
    asked: World, run: Path, langfuse: LangfuseCopy, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = trace_of(RunFolder(run), "q2")
    annotate(langfuse, run, "q0", value=True)
    annotate(langfuse, run, "q0", 1, "NUMERIC")
    annotate(
        langfuse, run, "q2", "Incorrect", "CATEGORICAL", subject={"kind": "observation", "id": "o", "traceId": trace}
    )
    annotate(langfuse, run, "q3", value=True)
    annotate(langfuse, run, "q3", value=False)
    annotate(langfuse, run, "q4", "perhaps", "CATEGORICAL")
    annotate(langfuse, run, "of another run", value=True)
    annotate(langfuse, run, "q1", value=True, name="polite")
    labels = asked.folder / "labels.jsonl"
    assert asked.run("langfuse", "pull", run, "--score", "right", "--output", labels) == 0
    told = capsys.readouterr().err
    assert "2 labels in" in told
    assert "1 question left out, on which people do not agree: q3" in told
    assert "1 score left out: 'perhaps' is neither correct nor incorrect" in told
    lines = [json.loads(line) for line in labels.read_text().splitlines()]
    assert [(line["id"], line["label"]) for line in lines] == [("q0", "correct"), ("q2", "incorrect")]
    truth = LabelledTruth(labels)
    known = {record.id: truth.of(record) for record in RunFolder(run).items()}
    assert known == {"q0": True, "q1": None, "q2": False, "q3": None, "q4": None}
    assert asked.run("langfuse", "pull", run, "--score", "right", "--output", labels) == 2
    assert "is there already" in capsys.readouterr().err


def test_a_score_with_a_comma_in_its_name(asked: World, run: Path, langfuse: LangfuseCopy) -> None:
    for name, value in (("right, I think", True), ("right", False), (" I think", False)):
        annotate(langfuse, run, "q0", value=value, name=name)
    labels = asked.folder / "labels.jsonl"
    assert asked.run("langfuse", "pull", run, "--score", "right, I think", "--output", labels) == 0
    assert [json.loads(line)["label"] for line in labels.read_text().splitlines()] == ["correct"]


def test_nobody_said_anything(
    asked: World, run: Path, langfuse: LangfuseCopy, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked.run("langfuse", "pull", run, "--score", "right") == 2
    assert "has a score 'right' that people gave" in capsys.readouterr().err
