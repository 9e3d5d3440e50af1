"""`sqlassay judge`, on finished runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.cli.app import run
from sqlassay.errors import ExitCode
from tests.evaluation.calibration.judged import entry, judged, write_run

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run to calibrate on and a run to report, in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SQLASSAY_CALIBRATIONS", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    write_run(tmp_path / "runs", "first", judged(300, 0.5, seed=1))
    write_run(tmp_path / "runs", "second", judged(1_000, 0.7, seed=2))
    return tmp_path / "runs"


def test_calibrate_then_every_report_shows_it(runs: Path, capsys: Captured) -> None:
    assert run(["report", "second"]) == ExitCode.OK
    assert "llm_judge: uncalibrated" in capsys.readouterr().out
    assert run(["judge", "calibrate", "first"]) == ExitCode.OK
    shown = capsys.readouterr()
    assert "correct in truth" in shown.out
    assert "of the incorrect items are let pass" in shown.out
    assert "first: 1" in shown.out
    assert " of 300 as judged, corrected accuracy " in shown.out
    assert "kept in calibrations/llm_judge-" in shown.err
    assert run(["report", "second"]) == ExitCode.OK
    told = capsys.readouterr().out
    assert "uncalibrated" not in told
    assert "llm_judge: corrected accuracy " in told
    assert "calibrated on 300 items of jsonl against execution_match" in told
    assert run(["report", "first"]) == ExitCode.OK
    assert "(on this very run, whose truth is known" in capsys.readouterr().out
    assert run(["report", "second", "--json"]) == ExitCode.OK
    strategies = json.loads(capsys.readouterr().out)["runs"][0]["strategies"]
    corrected = strategies[1]["judge"]
    low, high = corrected["interval_95"]
    assert low <= strategies[0]["score"] <= high
    assert corrected["measured"]["confusion"]["lenient"] > 0


def test_list_and_show(runs: Path, capsys: Captured) -> None:
    assert run(["judge", "list"]) == ExitCode.OK
    assert "no calibrations in calibrations" in capsys.readouterr().err
    assert run(["judge", "calibrate", "first", "--json"]) == ExitCode.OK
    calibrated = json.loads(capsys.readouterr().out)
    name = Path(calibrated.pop("file")).stem
    assert run(["judge", "list"]) == ExitCode.OK
    assert name in capsys.readouterr().out
    assert run(["judge", "list", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == [{"name": name, **calibrated}]
    assert run(["judge", "show", "llm_judge", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == calibrated
    assert run(["judge", "show", name]) == ExitCode.OK
    assert "openai:gpt-judge" in capsys.readouterr().out
    assert run(["judge", "show", "llm_jugde"]) == ExitCode.USER_ERROR
    assert "calibrations: unknown calibration 'llm_jugde' (did you mean 'llm_judge'?)" in capsys.readouterr().err


def test_what_is_known_is_not_replaced_by_accident(runs: Path, capsys: Captured) -> None:
    assert run(["judge", "calibrate", "first"]) == ExitCode.OK
    assert run(["judge", "calibrate", "second"]) == ExitCode.USER_ERROR
    assert "this judge is calibrated already (add --overwrite" in capsys.readouterr().err
    assert run(["judge", "calibrate", "second", "--overwrite"]) == ExitCode.OK
    assert run(["judge", "list"]) == ExitCode.OK
    assert " 1,000 " in capsys.readouterr().out
    assert len(list(Path("calibrations").iterdir())) == 1


def test_labels(runs: Path, capsys: Captured) -> None:
    labels = Path("labels.csv")
    labels.write_text("id,label\n" + "".join(f"q{n},{'correct' if n % 2 else 'incorrect'}\n" for n in range(20)))
    assert run(["judge", "calibrate", "first", "--labels", "labels.csv"]) == ExitCode.OK
    shown = capsys.readouterr()
    assert "280 without a known truth" in shown.out
    assert "only 10 incorrect items, of 30 that there should be: the lenient rate is " in shown.err
    assert "only 10 correct items, of 30 that there should be: the harsh rate is " in shown.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nowhere"], "unknown run 'nowhere'"),
        (["first", "--judge", "judge"], "unknown strategy 'judge'"),
        (["first", "--truth", "llm_judge"], "--truth: 'llm_judge' is the judge itself"),
        (["first", "--truth", "execution_match", "--labels", "x.csv"], "--truth and --labels are both given"),
        (["first", "--labels", "x.csv"], "x.csv: no such file"),
        (["plain"], "has no strategy that asks a model (name one with --judge: execution_match)"),
    ],
)
def test_mistakes_are_said_in_one_line(arguments: list[str], expected: str, runs: Path, capsys: Captured) -> None:
    write_run(runs, "plain", [], [entry("execution_match")])
    assert run(["judge", "calibrate", *arguments]) == ExitCode.USER_ERROR
    told = capsys.readouterr().err
    assert expected in told
    assert told.count("\n") == 1
    assert not Path("calibrations").exists()


def test_a_broken_calibration_is_said_by_the_report(runs: Path, capsys: Captured) -> None:
    assert run(["judge", "calibrate", "first"]) == ExitCode.OK
    (path,) = Path("calibrations").iterdir()
    path.write_text("{")
    assert run(["report", "second"]) == ExitCode.OK
    told = " ".join(capsys.readouterr().out.split())
    assert f"llm_judge: uncalibrated: {path}: is not a calibration of sqlassay (restore the file, or delete" in told


def test_a_broken_calibration_hides_no_other(runs: Path, capsys: Captured) -> None:
    assert run(["judge", "calibrate", "first"]) == ExitCode.OK
    (path,) = Path("calibrations").iterdir()
    broken = path.with_name("strict-000000000000.json")
    broken.write_text("{")
    capsys.readouterr()
    for more in ([], ["--json"]):
        assert run(["judge", "list", *more]) == ExitCode.USER_ERROR
        shown = capsys.readouterr()
        assert path.stem in shown.out
        assert f"{broken}: is not a calibration of sqlassay (restore the file, or delete" in shown.err
    assert run(["judge", "show", "llm_judge"]) == ExitCode.OK
    assert run(["judge", "show", broken.stem]) == ExitCode.USER_ERROR
    assert f"{broken}: is not a calibration of sqlassay" in capsys.readouterr().err
    assert run(["judge", "show", "strict"]) == ExitCode.USER_ERROR
    assert f"unknown calibration 'strict' (what cannot be read is {broken.stem})" in capsys.readouterr().err


def test_where_verdicts_of_a_judge_are_compared_or_gated_its_errors_are_told(runs: Path, capsys: Captured) -> None:
    def told(*arguments: str) -> str:
        capsys.readouterr()
        run(list(arguments))
        return " ".join(capsys.readouterr().out.split())

    manifest = runs / "second" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("+00:00 second", "+00:00"))  # as a run has it
    Path("rules.yaml").write_text("gate: {strategy: llm_judge, min_accuracy: 0.1}\n")
    compare = ("compare", "first", "second", "--strategy", "llm_judge")
    gate = ("gate", "second", "--rules", "rules.yaml")
    assert "llm_judge, whose errors are in the difference: uncalibrated" in told(*compare)
    assert "llm_judge, whose errors are in what is measured: uncalibrated" in told(*gate)
    assert run(["judge", "calibrate", "first"]) == ExitCode.OK
    for command in (compare, gate):
        shown = told(*command)
        assert ": calibrated on 300 items of jsonl against execution_match" in shown
        assert "uncalibrated" not in shown
    assert "whose errors" not in told("compare", "first", "second", "--strategy", "execution_match")
    assert "whose errors" in told(*compare, "--json")
