"""Calibrations on disk: only the exact judge has one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.calibration.calibration import Calibration
from evaluation.calibration.kept import KeptCalibrations
from evaluation.statistics.agreement import Confusion
from sqlassay.errors import UnknownName, UserError
from tests.evaluation.calibration.judged import calibration, entry

COUNTS = st.integers(0, 500)


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    kept = KeptCalibrations(tmp_path / "calibrations")
    assert kept.find(entry()) is None
    assert kept.all() == ({}, {})
    path = kept.keep(calibration())
    assert path.parent == tmp_path / "calibrations"
    assert path.name.startswith("llm_judge-")
    assert kept.find(entry()) == calibration()
    assert kept.all() == ({path.stem: calibration()}, {})
    assert kept.named("llm_judge") == kept.named(path.stem) == calibration()
    assert json.loads(path.read_text())["rates"]["lenient"]["value"] == 18 / 150


@given(st.builds(Confusion, COUNTS, COUNTS, COUNTS, COUNTS))
def test_json_is_read_back(confusion: Confusion) -> None:
    one = calibration(confusion=confusion)
    assert Calibration.from_json(json.loads(json.dumps(one.to_json(), allow_nan=False))) == one


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "2"},
        {"name": "llm_judge_rubric"},
        {"judges": [{**entry()["judges"][0], "parameters": {"temperature": 0.5}}]},
        {"when": "not_proven"},
        {"prompt": {"ref": "judge@1", "sha256": "b" * 64}},
        {"judges": [{**entry()["judges"][0], "model": {"provider": "openai", "model": "gpt-judge-2"}}]},
        {"judges": [*entry()["judges"], {"name": "b", "model": {"provider": "openai", "model": "gpt-judge-2"}}]},
        {"judges": [{**entry()["judges"][0], "model": {**entry()["judges"][0]["model"], "base_url": "http://other"}}]},
        {"vote": "unanimous"},
    ],
    ids=str,
)
def test_another_judge_is_uncalibrated(changes: dict[str, object], tmp_path: Path) -> None:
    kept = KeptCalibrations(tmp_path)
    kept.keep(calibration())
    assert kept.find(entry(**changes)) is None
    kept.refuse_another(entry(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"label": "strict judge"},
        {"judges": [{**entry()["judges"][0], "name": "the strict one"}]},
        {"against": {"name": "another system", "sha256": "c" * 64}},
    ],
    ids=str,
)
def test_another_name_or_another_system_is_the_same_judge(changes: dict[str, object], tmp_path: Path) -> None:
    kept = KeptCalibrations(tmp_path)
    path = kept.keep(calibration())
    assert kept.find(entry(**changes)) == calibration()
    with pytest.raises(UserError, match=r"this judge is calibrated already \(add --overwrite"):
        kept.refuse_another(entry(**changes))
    assert kept.keep(calibration(entry(**changes))) == path
    assert len(kept.all()[0]) == 1


def test_a_label_with_strange_characters_stays_within_the_folder(tmp_path: Path) -> None:
    kept = KeptCalibrations(tmp_path / "kept")
    path = kept.keep(calibration(entry(label="../../llm judge:a/b")))
    assert path.parent == tmp_path / "kept"
    assert kept.find(entry()) is not None


def test_names_that_lead_to_none_or_to_several(tmp_path: Path) -> None:
    kept = KeptCalibrations(tmp_path)
    with pytest.raises(UnknownName, match="there are none yet: sqlassay judge calibrate RUN"):
        kept.named("llm_judge")
    kept.keep(calibration())
    kept.keep(calibration(entry(version="2")))
    with pytest.raises(UserError, match=r"2 calibrations have the label 'llm_judge' \(name one of llm_judge-"):
        kept.named("llm_judge")
    with pytest.raises(UnknownName, match="unknown calibration 'nobody'"):
        kept.named("nobody")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"judge": 1}', "\x00"])
def test_a_broken_file_is_said_in_one_line(text: str, tmp_path: Path) -> None:
    kept = KeptCalibrations(tmp_path)
    path = kept.keep(calibration())
    path.write_text(text)
    with pytest.raises(UserError, match="is not a calibration of sqlassay"):
        kept.find(entry())


@pytest.mark.parametrize(
    ("counts", "name", "value"),
    [
        ("confusion", "lenient", -5),
        ("confusion", "lenient", 10**400),
        ("repeats", "unstable", 99),
        ("swaps", "differing", -1),
        ("left_out", "settled", -1),
        ("spent", "cost", float("inf")),
    ],
)
def test_counts_that_cannot_be_are_no_calibration(counts: str, name: str, value: float, tmp_path: Path) -> None:
    kept = KeptCalibrations(tmp_path)
    path = kept.keep(calibration())
    told = json.loads(path.read_text())
    told[counts][name] = value
    path.write_text(json.dumps(told))
    with pytest.raises(UserError, match="is not a calibration of sqlassay"):
        kept.find(entry())


def test_a_file_under_the_name_of_another_judge_is_refused(tmp_path: Path) -> None:
    kept = KeptCalibrations(tmp_path)
    one, other = kept.keep(calibration()), kept.keep(calibration(entry(version="2")))
    other.replace(one)
    with pytest.raises(UserError, match="is the calibration of another judge"):
        kept.find(entry())


def test_the_folder_is_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLASSAY_CALIBRATIONS", str(tmp_path / "elsewhere"))
    assert KeptCalibrations().folder == tmp_path / "elsewhere"
    monkeypatch.delenv("SQLASSAY_CALIBRATIONS")
    assert KeptCalibrations().folder == Path("calibrations")


def test_few_items_are_said() -> None:
    assert calibration().cautions == []
    one, other = calibration(confusion=Confusion(20, 3, 1, 0)).cautions
    assert one.startswith(
        "only 3 incorrect items, of 30 that there should be: the lenient rate is 100.0 % (43.9 – 100.0)"
    )
    assert other.startswith("only 21 correct items, of 30 that there should be: the harsh rate is 4.8 % (")
    (none, _) = calibration(confusion=Confusion(20, 0, 1, 0)).cautions
    assert none == (
        "only 0 incorrect items, of 30 that there should be: the lenient rate is unknown, and no accuracy can be"
        " corrected; 3 were settled before the judge was asked: ask it always, or give labels"
    )
