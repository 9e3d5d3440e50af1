"""`sqlassay gate`: which run passes by which rules against which baseline, and what each exit code means."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest
import yaml

from tests.evaluation.gate.nights import forget, manifest_of, night, with_manifest
from tests.evaluation.world import GOLD, SETUP, World, model_at
from tests.providers.server import ProviderServer

Capture = pytest.CaptureFixture[str]
RIGHT = 20 * "+"
WORSE = 8 * "-" + 12 * "+"
A_LITTLE = 3 * "-" + 17 * "+"
SMALL = {"drop": {"min_effect": 0.5}}


def gate(world: World, *arguments: str | Path) -> int:
    return world.run("gate", "--runs", world.runs, *arguments)


TABLE: dict[str, tuple[str, str, Mapping[str, object] | None, int, str]] = {
    # baseline, run, rules, exit code, words
    "A/A": (WORSE, WORSE, None, 0, "passed      drop                     no difference; one of "),
    "a drop": (RIGHT, WORSE, None, 3, "failed      drop                     worse by 40.0 points (95 % interval "),
    "that may be luck": (RIGHT, A_LITTLE, None, 0, "p = 0.250), which may be luck; one of "),
    "beyond luck but small": (RIGHT, WORSE, SMALL, 0, "beyond luck, but less than the 50.0 points that count"),
    "luck and small": (RIGHT, A_LITTLE, SMALL, 0, "which may be luck, and is less than the 50.0 points that count"),
    "beyond a stricter alpha": (RIGHT, WORSE, {"drop": {"alpha": 0.001}}, 0, "which may be luck"),
    "better": (WORSE, RIGHT, None, 0, "passed      drop                     better by 40.0 points"),
    "no drop is judged": (RIGHT, WORSE, {"drop": False}, 0, "gate passed"),
    "too few questions": ("+++", "+-+", None, 0, "3 questions are too few to show any"),
    "too low": (RIGHT, A_LITTLE, {"min_accuracy": 0.9}, 3, "failed      min_accuracy             85.0 % right, less"),
    "high enough": (RIGHT, A_LITTLE, {"min_accuracy": 0.85}, 0, "85.0 % right, at least 85.0 %"),
    "nothing scored": ("????", "????", {"drop": False}, 1, "unusable    usable                   none of 4 answers"),
    "instrument failures": (
        "??" + 18 * "+",
        "??" + 18 * "-",
        {"drop": False},
        1,
        "unusable    max_instrument_failures  10.0 % of the items are unscored, more than 5.0 %",
    ),
    "unknown costs": (RIGHT, RIGHT, {"max_cost": 1}, 0, "not judged  max_cost                 0.0000 of 1 is known"),
    "judged by another": (
        RIGHT,
        WORSE,
        {"strategy": "execution_match:bird"},
        3,
        "20 of 20 answers are scored by execution_match:bird",
    ),
}


@pytest.mark.parametrize(("baseline", "run", "rules", "code", "words"), TABLE.values(), ids=TABLE)
def test_what_passes(
    baseline: str,
    run: str,
    rules: Mapping[str, object] | None,
    code: int,
    words: str,
    world: World,
    capsys: Capture,
) -> None:
    more = {"gate": rules, "strategies": ["execution_match", "execution_match:bird"]}
    before, now = night(world, baseline, **more), night(world, run, **more)
    capsys.readouterr()
    against = "none" if "?" in baseline else before
    assert gate(world, now, "--baseline", against) == code
    shown = capsys.readouterr()
    outcome = {0: "passed", 3: "failed", 1: "unusable"}[code]
    assert shown.out.startswith(f"gate {outcome}: {now.name}")
    assert words in shown.out
    assert ("rules: the defaults" in shown.out) is (rules is None)
    assert shown.err == ""


def test_a_broken_baseline_is_none(world: World, capsys: Capture) -> None:
    before, now = night(world, "??" + 18 * "+"), night(world, "??" + 18 * "+", max_instrument_failures=0.2)
    capsys.readouterr()
    assert gate(world, now, "--baseline", before) == 2
    assert f"error: the baseline {before} is unusable: 10.0 % of the items of tape" in capsys.readouterr().err


def test_more_instrument_failures_may_be_allowed(world: World) -> None:
    marks = "??" + 18 * "+"
    assert gate(world, night(world, marks), "--baseline", "none") == 1
    assert gate(world, night(world, marks, max_instrument_failures=0.2), "--baseline", "none") == 0
    assert gate(world, night(world, marks, gate={"max_instrument_failures": 0.2}), "--baseline", "none") == 0


@pytest.mark.parametrize("how", ["interrupted", "cut", "stopped"])
def test_a_run_that_broke_is_no_regression(how: str, world: World, capsys: Capture) -> None:
    rules = {"min_accuracy": 1, "latency": {"p95": 1}, "max_tokens": 1}
    before, now = night(world, RIGHT), night(world, WORSE, gate=rules)
    if how == "cut":
        items = now / "items.jsonl"
        items.write_text("".join(items.read_text().splitlines(keepends=True)[:9]))
    else:
        with_manifest(now, status=how)
    capsys.readouterr()
    assert gate(world, now, "--baseline", before, "--promote") == 1
    shown = capsys.readouterr().out
    assert shown.startswith("gate unusable: ")
    assert "failed" not in shown
    assert shown.count("not judged") == 4
    assert ("has 9 of 20 items" if how == "cut" else f"is not finished: it is {how}") in shown
    assert not (world.runs / "baselines.json").exists()


def test_a_budget_and_latency(world: World, server: ProviderServer, capsys: Capture) -> None:
    world.questions(4)
    models = [model_at(server.base_url, prices={"input": 1_000_000, "output": 1_000_000})]
    assert world.run("run", world.experiment(models=models), "-q") == 0
    rules = world.folder / "rules.yaml"
    for content, code, words in (
        ({"max_cost": 600, "max_tokens": 600}, 0, "600 spent, of at most 600"),
        ({"max_cost": 599.5}, 3, "failed      max_cost                 600.0000 spent, more than 599.5"),
        ({"max_tokens": 599}, 3, "failed      max_tokens               600 spent, more than 599"),
        ({"latency": {"p50": 60, "p95": 60}}, 0, "95 % of 4 questions were answered within"),
        ({"latency": {"p95": 1e-9}}, 3, "failed      latency.p95"),
    ):
        rules.write_text(yaml.safe_dump({"gate": content}))
        capsys.readouterr()
        assert gate(world, "--baseline", "none", "--rules", rules) == code
        shown = capsys.readouterr().out
        assert words in shown
        assert f"rules: {rules}" in shown
    assert world.run("run", world.experiment(models=models), "-q") == 0
    rules.write_text("gate: {latency: {p95: 1.0e-9}}")
    assert gate(world, "--rules", rules) == 0
    assert "not judged  latency.p95              no answer was asked for" in capsys.readouterr().out


def test_each_run_of_a_group_is_held_against_its_like(world: World, capsys: Capture) -> None:
    def models(*labels: str) -> list[dict[str, object]]:
        return [
            {"adapter": "replay", "model": one, "label": one, "settings": {"path": f"{one}.jsonl"}} for one in labels
        ]

    def answers(name: str, marks: str) -> None:
        world.answers({f"q{n}": {"answer": GOLD if mark == "+" else "SELECT 0"} for n, mark in enumerate(marks)})
        (world.folder / "answers.jsonl").rename(world.folder / f"{name}.jsonl")

    world.questions(20)
    for a, b in ((WORSE, RIGHT), (WORSE, WORSE)):
        answers("a", a)
        answers("b", b)
        assert world.run("run", world.experiment(models=models("a", "b"), repeats=2), "-q") == 0
    groups = sorted({manifest_of(run)["group"] for run in world.run_folders()}, key=lambda g: (len(g), g))
    before, now = groups
    capsys.readouterr()
    assert gate(world, now, "--baseline", before, "--json") == 3
    verdict = json.loads(capsys.readouterr().out)
    drops = {rule["cell"]: rule for rule in verdict["rules"] if rule["rule"] == "drop"}
    assert [drops[f"{one} · zero_shot@1 · sqlite"]["judged"] for one in "ab"] == ["passed", "failed"]
    # A question's repeats are no further questions: 8 of 20 were lost, twice each.
    assert "p = 0.016 after Holm, of 2): beyond luck" in drops["b · zero_shot@1 · sqlite"]["words"]
    assert "of 40 paired answers 16 lost, 0 won" in drops["b · zero_shot@1 · sqlite"]["words"]

    shutil.rmtree(world.runs / f"{now}-04")
    assert gate(world, now, "--baseline", "none") == 1
    assert "unusable    usable                   3 of the 4 runs of the experiment are there" in capsys.readouterr().out
    assert gate(world, f"{now}-01", "--baseline", "none") == 0


def test_the_first_night_and_those_after_it(world: World, capsys: Capture) -> None:
    first = night(world, RIGHT)
    capsys.readouterr()
    assert gate(world, "--promote") == 0
    shown = capsys.readouterr()
    assert (
        f"not judged  drop                     no run of trial is green yet, as {world.runs}/baselines.json"
        in shown.out
    )
    assert f"the latest green run of trial now: {world.runs / 'baselines.json'}" in shown.err

    # A fresh machine: of the runs nothing is left but the cached index.
    second = night(world, WORSE)
    forget(first)
    capsys.readouterr()
    assert gate(world, "--promote") == 3
    shown = capsys.readouterr()
    assert shown.out.startswith(f"gate failed: {second.name} against latest-green, {first.name}\n")
    assert shown.err == ""

    third = night(world, A_LITTLE)
    assert [gate(world, "--promote"), gate(world, "--promote")] == [0, 0]
    assert "this run is the latest green one itself" in capsys.readouterr().out
    (green,) = json.loads((world.runs / "baselines.json").read_text())["baselines"]["trial"].values()
    assert green["runs"] == [third.name]
    with_manifest(second, started="2026-01-01T00:00:00+00:00")
    assert gate(world, second, "--baseline", "none", "--promote") == 0
    assert capsys.readouterr().err == "tape · zero_shot@1 · sqlite: a newer run is the latest green one, and stays\n"


def test_a_new_version_of_a_prompt_is_held_against_the_one_it_replaces(world: World, capsys: Capture) -> None:
    folder = world.folder / "own" / "mine"
    folder.mkdir(parents=True)
    for version in (1, 2):
        content = {
            "name": "mine",
            "version": version,
            "description": "Ask.",
            "output": "sql_block",
            "stop": [],
            "messages": [{"role": "user", "content": f"{version}: {{{{ schema }}}} {{{{ question }}}}"}],
        }
        (folder / f"v{version}.yaml").write_text(yaml.safe_dump(content))
    more = {"prompt_folders": ["own"]}
    night(world, RIGHT, prompts=["mine@1"], **more)
    assert gate(world, "--promote") == 0
    night(world, WORSE, prompts=["mine@2"], **more)
    assert gate(world, "--promote") == 3
    night(world, A_LITTLE, prompts=["mine@2"], **more)
    assert gate(world, "--promote") == 0
    (title,) = json.loads((world.runs / "baselines.json").read_text())["baselines"]["trial"]
    assert title == "tape · mine@2 · sqlite"


def test_a_run_held_against_that_of_another_model_leaves_its_baseline_alone(world: World) -> None:
    """One run against one run are compared whatever they are called; what is green of the other stays green."""
    settings = {"path": "answers.jsonl"}
    models = [{"adapter": "replay", "model": one, "label": one, "settings": settings} for one in ("one", "two")]
    night(world, RIGHT, models=models)
    assert gate(world, "--promote") == 0
    one, two = world.run_folders()
    assert gate(world, two, "--baseline", one, "--promote") == 0
    titles = json.loads((world.runs / "baselines.json").read_text())["baselines"]["trial"]
    assert sorted(titles) == ["one · zero_shot@1 · sqlite", "two · zero_shot@1 · sqlite"]


def test_every_form_at_once(world: World, capsys: Capture) -> None:
    before, now = night(world, RIGHT), night(world, WORSE)
    files = [world.folder / f"verdict{ending}" for ending in (".md", ".xml", ".json", ".txt")]
    outputs = [argument for file in files for argument in ("-o", str(file))]
    capsys.readouterr()
    assert gate(world, now, "--baseline", before, "--format", "markdown", *outputs) == 3
    printed = capsys.readouterr().out
    markdown, xml, data, text = (file.read_text() for file in files)
    assert printed == markdown
    assert printed.startswith("### ❌ Gate failed: trial\n")
    assert ElementTree.fromstring(xml).get("failures") == "1"
    assert json.loads(data)["outcome"] == "failed"
    assert text.startswith("gate failed: ")


def changed_rules(world: World) -> Path:
    return world.experiment("other", gate={"min_accuracy": 1})


def test_the_rules_of_an_experiment_file_hold_instead(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = night(world, A_LITTLE)
    assert gate(world, now, "--baseline", "none") == 0
    assert gate(world, now, "--baseline", "none", "--rules", changed_rules(world)) == 3
    rules = world.folder / "rules.yaml"
    rules.write_text("gate: {min_accuracy: '${LEAST}'}\n")
    monkeypatch.setenv("LEAST", "0.85")
    assert gate(world, now, "--baseline", "none", "--rules", rules) == 0


FILES = {
    "broken.yaml": "gate: [",
    "typo.yaml": "gate:\n  min_acuracy: 0.5\n",
    "deep.yaml": "gate:\n  drop: {alfa: 0.5}\n",
    "top.yaml": "gaet: {}\n",
    "none.yaml": "limits: {}\n",
    "alpha.yaml": "gate: {drop: {alpha: 0}}\n",
    "count.yaml": "gate: {max_instrument_failures: 5}\n",
    "strategy.yaml": "gate: {strategy: bird}\n",
}
MISTAKES = {
    "unknown run": (["trail"], "unknown run 'trail'"),
    "unknown baseline": (["--baseline", "nightly"], "unknown run 'nightly'"),
    "itself": (["--baseline", "latest"], "the baseline latest is the gated run itself (name an older run)"),
    "no such rules": (["--rules", "nope.yaml"], "nope.yaml: no such file of rules (check the path)"),
    "broken": (["--rules", "broken.yaml"], "broken.yaml:1: not YAML: "),
    "typo": (
        ["--rules", "typo.yaml"],
        "typo.yaml:2: unknown key in gate: 'min_acuracy' (did you mean 'min_accuracy",
    ),
    "deep": (["--rules", "deep.yaml"], "deep.yaml:2: unknown key in gate.drop: 'alfa' (did you mean 'alpha'?)"),
    "top": (["--rules", "top.yaml"], "top.yaml:1: unknown key: 'gaet' (did you mean 'gate'?)"),
    "no rules": (["--rules", "none.yaml"], "none.yaml:1: the key 'gate' is missing"),
    "alpha": (["--rules", "alpha.yaml"], "alpha.yaml:1: gate.drop.alpha: Input should be greater than 0"),
    "a count": (["--rules", "count.yaml"], "count.yaml:1: gate.max_instrument_failures: Input should be less than or"),
    "unknown strategy": (["--rules", "strategy.yaml"], "unknown strategy 'bird' (known: execution_match)"),
    "unknown ending": (["-o", "v.pdf"], "v.pdf: no form of a verdict has this ending (end it in one of .json (json)"),
    "no folder": (["-o", "ci/v.md"], "ci: there is no such folder (make it first)"),
    "no label changes": (["--label-changes", "l.yaml"], "l.yaml: no such file of label changes (check the path)"),
    "corrupt index": (["--baselines", "corrupt.json"], "corrupt.json: is no index of baselines: "),
    "another file": (["--baselines", "other.json"], "other.json: is no index of baselines: it has no key baselines ("),
    "newer index": (["--baselines", "newer.json"], "newer.json: is an index of baselines of format 9, this sqlassay"),
    "wrong index": (["--baselines", "wrong.json"], "wrong.json: is no index of baselines: trial.cell.title: Field req"),
}


@pytest.mark.parametrize(("arguments", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line(
    arguments: list[str], expected: str, world: World, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.folder)
    for name, text in FILES.items():
        Path(name).write_text(text)
    Path("corrupt.json").write_text('{"format": 1, "basel')
    Path("other.json").write_text("[]")
    Path("newer.json").write_text('{"format": 9, "baselines": {}}')
    Path("wrong.json").write_text('{"format": 1, "baselines": {"trial": {"cell": {}}}}')
    night(world, "++")
    capsys.readouterr()
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert gate(world, *arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert expected in shown.err
    assert shown.err.count("\n") == 1
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


def test_an_experiment_with_a_wrong_rule_does_not_run(world: World, capsys: Capture) -> None:
    world.questions(1)
    world.answers({"q0": GOLD})
    assert world.run("run", world.experiment(gate={"min_acuracy": 1}), "-q") == 2
    assert "unknown key in gate: 'min_acuracy' (did you mean 'min_accuracy'?)" in capsys.readouterr().err


def test_a_baseline_that_is_too_old_is_refused(world: World, capsys: Capture) -> None:
    before, now = night(world, RIGHT), night(world, RIGHT, gate={"max_age": 14})
    start = datetime.fromisoformat(manifest_of(now)["started"])
    for days, code in ((13, 0), (15, 2)):
        with_manifest(before, started=(start - timedelta(days=days)).isoformat())
        capsys.readouterr()
        assert gate(world, now, "--baseline", before) == code
    expected = "cannot be compared with: it is 15.0 days older than the run, and max_age is 14 (name another, or"
    assert expected in capsys.readouterr().err


BIRD = {"strategy": "execution_match:bird"}
REFUSED: dict[str, tuple[Mapping[str, object], Mapping[str, object], str]] = {
    # of the baseline, of the run
    "settings": (
        {},
        {"strategies": [{"strategy": "execution_match", "settings": {"extra_columns": "accept"}}]},
        "other settings of execution_match: extra_columns was refuse, now accept",
    ),
    "selection": ({}, {"dataset": {"format": "jsonl", "path": "questions.jsonl", "limit": 5}}, "limit was none, now 5"),
    "limits": ({}, {"limits": {"rows": 5}}, "other limits of statements: prediction was"),
}


@pytest.mark.parametrize(("one", "other", "why"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_compared_is_refused(
    one: Mapping[str, object], other: Mapping[str, object], why: str, world: World, capsys: Capture
) -> None:
    before = night(world, 6 * "+", **one)
    assert gate(world, "--promote") == 0
    now = night(world, 6 * "+", **other)
    for baseline in (str(before), "latest-green"):
        capsys.readouterr()
        assert gate(world, now, "--baseline", baseline, "--promote") == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert f"error: the baseline {before.name} cannot be compared with: " in shown.err
        assert why in shown.err
        assert "(name another, or --baseline none to begin anew)" in shown.err
    assert gate(world, now, "--baseline", "none", "--promote") == 0
    assert gate(world, night(world, 6 * "+", **other)) == 0


def test_other_content_of_a_database_is_refused(world: World, capsys: Capture) -> None:
    before = night(world, "+++")
    with closing(sqlite3.connect(world.database)) as connection:
        connection.execute("INSERT INTO singer VALUES (4, 'Dan', 20)")
        connection.commit()
    now = night(world, "+++")
    capsys.readouterr()
    assert gate(world, now, "--baseline", before) == 2
    assert "cannot be compared with: other content of 1 database: show (" in capsys.readouterr().err


def test_another_engine_is_refused(world: World, capsys: Capture) -> None:
    with duckdb.connect(str(world.database.with_suffix(".duckdb"))) as connection:
        for statement in SETUP:
            connection.execute(statement)
    before, now = night(world, "+++"), night(world, "+++", backends=["duckdb"])
    capsys.readouterr()
    assert gate(world, now, "--baseline", before) == 2
    assert "cannot be compared with: another engine: it was sqlite, now it is duckdb (" in capsys.readouterr().err


def test_another_strategy_in_the_index_is_refused(world: World, capsys: Capture) -> None:
    more = {"strategies": ["execution_match", "execution_match:bird"]}
    night(world, "+++", **more)
    assert gate(world, "--promote") == 0
    night(world, "+++", gate=BIRD, **more)
    assert gate(world) == 2
    expected = "it has verdicts of execution_match, the run is judged by execution_match:bird"
    assert expected in capsys.readouterr().err
