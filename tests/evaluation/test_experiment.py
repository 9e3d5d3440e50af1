"""Experiment files: each mistake is one line that names file, line and remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluation.datasets.selection import Selection
from evaluation.experiment import BackendSection, StrategySection, parse_experiment, read_experiment
from evaluation.grid import Grid
from sqlassay.errors import UserError
from tests.evaluation.world import World

SMALL = """\
name: small
dataset: {format: jsonl, path: questions.jsonl}
models:
  - adapter: replay
    model: tape
    settings: {path: answers.jsonl}
"""


def message(text: str, path: Path = Path("x.yaml")) -> str:
    with pytest.raises(UserError) as caught:
        parse_experiment(text, path)
    line = str(caught.value)
    assert "\n" not in line
    return line


WRONG: dict[str, tuple[str, str]] = {
    # Not YAML, or not an experiment.
    "empty": ("", "x.yaml: not an experiment: it has no keys (see `sqlassay schema experiment`)"),
    "a comment": ("# soon\n", "x.yaml: not an experiment: it has no keys (see `sqlassay schema experiment`)"),
    "a list": ("- name\n", "x.yaml: not an experiment: it has no keys (see `sqlassay schema experiment`)"),
    "a text": ("name", "x.yaml: not an experiment: it has no keys (see `sqlassay schema experiment`)"),
    "open bracket": (
        "name: [a\nmodels: b\n",
        "x.yaml:2: not YAML: expected ',' or ']', but got ':'",
    ),
    "tab": ("name:\n\t- a\n", "x.yaml:2: not YAML: found character '\\t' that cannot start any token"),
    "control character": ("name: a\ndataset: \x07\n", "x.yaml:2: not YAML: holds the character #x0007 (delete it)"),
    "two documents": (
        "name: a\n---\nname: b\n",
        "x.yaml:2: not YAML: but found another document",
    ),
    "code": (
        "name: !!python/object/apply:os.system [ls]\n",
        "x.yaml:1: not YAML: could not determine a constructor for the tag "
        "'tag:yaml.org,2002:python/object/apply:os.system'",
    ),
    "no date": ("a: 2024-13-01\n", "x.yaml: not YAML: month must be in 1..12"),
    "within itself": ("a: &a [*a]\n", "x.yaml: nested too deeply, or within itself"),
    "deep": ("a: " + "[" * 5000, "x.yaml: nested too deeply, or within itself"),
    "a key twice": (SMALL + "name: other\n", "x.yaml:7: the key 'name' is there twice"),
    "a key twice, further in": (
        SMALL + "limits:\n  rows: 1\n  rows: 2\n",
        "x.yaml:9: the key 'rows' is there twice",
    ),
    # Keys.
    "unknown key": (
        SMALL + "promts: [a]\n",
        "x.yaml:7: unknown key in the experiment: 'promts' (did you mean 'prompts'?)",
    ),
    "unknown key of a section": (
        SMALL + "limits:\n  secnds: 3\n",
        "x.yaml:8: unknown key in limits: 'secnds' (did you mean 'seconds'?)",
    ),
    "unknown key in a list": (
        SMALL + "    tempeature: 0\n",
        "x.yaml:7: unknown key in models.0: 'tempeature' (known: adapter, concurrency, fallback, label,"
        " model, parameters, prices, repair, requests_per_minute, router and 5 more)",
    ),
    "unknown key of a backend": (
        SMALL + "backends:\n  - sqlite\n  - {backend: duckdb, tarjet: x}\n",
        "x.yaml:9: unknown key in backends.1: 'tarjet' (did you mean 'target'?)",
    ),
    "unknown key of a strategy": (
        SMALL + "strategies:\n  - strategy: execution_match\n    setings: {}\n",
        "x.yaml:9: unknown key in strategies.0: 'setings' (did you mean 'settings'?)",
    ),
    "unknown key of prices": (
        SMALL + "    prices: {in: 3}\n",
        "x.yaml:7: unknown key in models.0.prices: 'in' (did you mean 'input'?)",
    ),
    "a key in other letters": (
        SMALL.replace("name:", "Name:"),
        "x.yaml:1: unknown key in the experiment: 'Name' (did you mean 'name'?)",
    ),
    "missing key": ("name: a\n", "x.yaml:1: the key 'dataset' is missing"),
    "missing key in a list": (
        SMALL.replace("    model: tape\n", ""),
        "x.yaml:4: the key 'models.0.model' is missing",
    ),
    # Values.
    "no models": (SMALL.partition("models")[0] + "models: []\n", "x.yaml:3: models: is empty (name at least one)"),
    "no prompts": (SMALL + "prompts: []\n", "x.yaml:7: prompts: is empty (name at least one)"),
    "no strategies": (SMALL + "strategies: []\n", "x.yaml:7: strategies: is empty (name at least one)"),
    "a number for a backend": (
        SMALL + "backends: [5]\n",
        "x.yaml:7: backends.0: is 5 (a mapping with backend, target, label)",
    ),
    "a text for a section": (
        SMALL + "limits: strict\n",
        "x.yaml:7: limits: is 'strict' (a mapping with seconds, gold_seconds, rows, megabytes)",
    ),
    "a word for a number": (
        SMALL + "limits:\n  seconds: ten\n",
        "x.yaml:8: limits.seconds: Input should be a valid number, unable to parse string as a number",
    ),
    "true for a count": (
        SMALL + "limits: {rows: true}\n",
        "x.yaml:7: limits.rows: Input should be a whole number, not true",
    ),
    "false for seconds": (
        SMALL + "limits: {seconds: no}\n",
        "x.yaml:7: limits.seconds: Input should be a number, not false",
    ),
    "true for workers": (SMALL + "workers: yes\n", "x.yaml:7: workers: Input should be a whole number, not true"),
    "true for a price": (
        SMALL + "    prices: {input: true}\n",
        "x.yaml:7: models.0.prices.input: Input should be a number, not true",
    ),
    "true for a seed": (
        SMALL.replace("questions.jsonl", "q, sample: 1, seed: true"),
        "x.yaml:2: dataset.seed: Input should be a whole number, not true",
    ),
    "a fraction for a count": (SMALL + "repeats: 2.0\n", "x.yaml:7: repeats: Input should be a whole number, not 2.0"),
    "zero": (SMALL + "repeats: 0\n", "x.yaml:7: repeats: Input should be greater than 0"),
    "negative": (
        SMALL + "limits: {seconds: -1}\n",
        "x.yaml:7: limits.seconds: Input should be greater than 0",
    ),
    "a share above 1": (
        SMALL + "max_instrument_failures: 5\n",
        "x.yaml:7: max_instrument_failures: Input should be less than or equal to 1",
    ),
    "a name that is no folder": (
        SMALL.replace("small", "../up"),
        "x.yaml:1: name: String should match pattern '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'",
    ),
    "a choice that is none": (SMALL + "cache: some\n", "x.yaml:7: cache: Input should be 'shared' or 'run'"),
    "two mistakes": (
        SMALL + "repeats: 0\nworkers: 0\n",
        "x.yaml:7: repeats: Input should be greater than 0; and 1 more",
    ),
    # The environment.
    "a variable that is not set": (
        SMALL.replace("tape", "${NO_SUCH_MODEL}"),
        "x.yaml:5: models.0.model: the environment variable NO_SUCH_MODEL is not set"
        " (set it, or write ${NO_SUCH_MODEL:-default})",
    ),
}


@pytest.mark.parametrize(("text", "expected"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_one_line_with_its_place(text: str, expected: str) -> None:
    assert message(text) == expected


UNREADABLE = {
    "missing": (None, "x.yaml: no such experiment file (check the path)"),
    "binary": (b"\x89PNG\r\n\x1a\n\x00\x00", "x.yaml: is not text in UTF-8 (give the experiment's YAML file)"),
    "zero bytes": (b"name: a\n\x00\x00", "x.yaml:2: not YAML: holds the character #x0000 (delete it)"),
}


@pytest.mark.parametrize(("content", "expected"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_cannot_be_read(
    content: bytes | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("x.yaml").write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_experiment(Path("x.yaml"))
    assert str(caught.value) == expected


def test_a_folder_is_no_experiment(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        read_experiment(tmp_path)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_an_experiment_or_one_line(text: str) -> None:
    message(text)


# What is right.


def test_a_small_experiment_has_defaults() -> None:
    experiment = parse_experiment(SMALL, Path("x.yaml")).experiment
    assert experiment.prompts == ("zero_shot@1",)
    assert experiment.backends == (BackendSection(backend="sqlite", target=None),)
    assert experiment.strategies == (StrategySection(strategy="execution_match"),)
    assert (experiment.repeats, experiment.max_instrument_failures, experiment.output.runs) == (1, 0.05, "runs")


def test_a_name_stands_for_its_section() -> None:
    short = "backends: [sqlite]\nstrategies: ['execution_match:bird']\n"
    long = "backends: [{backend: sqlite}]\nstrategies: [{strategy: 'execution_match:bird', settings: {}}]\n"
    assert (
        parse_experiment(SMALL + short, Path("x.yaml")).experiment
        == parse_experiment(SMALL + long, Path("x.yaml")).experiment
    )


@pytest.mark.parametrize(
    ("written", "filters", "ids"),
    [
        ("{filter: {db_id: show}}", {"db_id": ("show",)}, ()),
        ("{filter: {turn: 1, db_id: [a, b]}}", {"turn": ("1",), "db_id": ("a", "b")}, ()),
        ("{only: [7, q8]}", {}, ("7", "q8")),
        ("{only: 7}", {}, ("7",)),
    ],
)
def test_numbers_in_selections_are_text(written: str, filters: dict[str, object], ids: tuple[str, ...]) -> None:
    section = written.replace("{", "{format: jsonl, path: q.jsonl, ", 1)
    text = SMALL.replace("{format: jsonl, path: questions.jsonl}", section)
    dataset = parse_experiment(text, Path("x.yaml")).experiment.dataset
    assert (dataset.filter, dataset.only) == (filters, ids)


@pytest.mark.parametrize(
    ("written", "environment", "expected"),
    [
        ("${MODEL}", "tape", "tape"),
        ("a/${MODEL}-1", "tape", "a/tape-1"),
        ("${MODEL:-other}", None, "other"),
        ("${MODEL:-}x", None, "x"),
        ("${MODEL:-other}", "tape", "tape"),
        ("${MODEL}", "{{ 'x' }} [y]: ${HOME}", "{{ 'x' }} [y]: ${HOME}"),
        ("$MODEL", "tape", "$MODEL"),
        ("${1}", "tape", "${1}"),
    ],
)
def test_the_environment_is_filled_in(
    written: str, environment: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MODEL", raising=False)
    if environment is not None:
        monkeypatch.setenv("MODEL", environment)
    file = parse_experiment(SMALL.replace("tape", json.dumps(written)), Path("x.yaml"))
    assert file.experiment.models[0].model == expected


def test_a_run_does_not_remember_what_the_environment_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "sk-123")
    file = parse_experiment(SMALL.replace("tape", "${SECRET}"), Path("x.yaml"))
    assert "sk-123" not in file.text
    monkeypatch.setenv("SECRET", "sk-456")
    assert parse_experiment(file.text, Path("x.yaml")).sha256 == file.sha256


def test_numbers_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPIES", "3")
    assert parse_experiment(SMALL + "repeats: ${COPIES}\n", Path("x.yaml")).experiment.repeats == 3


def test_keys_may_be_merged() -> None:
    text = SMALL + "  - &base {adapter: replay, model: m, concurrency: 2}\n  - {<<: *base, model: n}\n"
    models = parse_experiment(text, Path("x.yaml")).experiment.models
    assert [(model.model, model.concurrency) for model in models] == [("tape", 8), ("m", 2), ("n", 2)]


CHOSEN = [
    Selection(limit=3),
    Selection(sample=4, seed=7),
    Selection(filters=(("db_id", "a"), ("db_id", "b"), ("tag", "x"))),
    Selection(ids=("q1", "q2")),
    Selection(limit=1, sample=2, seed=3, filters=(("turn", "0"),), ids=("q1",)),
]


@pytest.mark.parametrize("chosen", CHOSEN)
def test_a_resumed_run_selects_as_it_did(chosen: Selection, world: World) -> None:
    questions = [{"id": f"q{n}", "tags": ["x"], "turn": 0} for n in range(9)]
    world.questions([*({**q, "db_id": "show"} for q in questions)])
    world.answers({"q0": "SELECT 1"})
    file = read_experiment(world.experiment())
    narrowed = file.experiment.narrowed(chosen)
    recorded = json.loads(json.dumps(vars(chosen)))
    assert file.with_selection(recorded).experiment == narrowed


# Mistakes that only show when the things are made.

TAPE = {"adapter": "replay", "model": "tape", "settings": {"path": "answers.jsonl"}}
NOT_THERE: dict[str, tuple[dict[str, object], str]] = {
    "dataset format": (
        {"dataset": {"format": "jsonlines", "path": "questions.jsonl"}},
        "trial.yaml:3: unknown dataset format 'jsonlines' (did you mean 'jsonl'?)",
    ),
    "question file": (
        {"dataset": {"format": "jsonl", "path": "question.jsonl"}},
        "question.jsonl: no such file or folder (did you mean '{folder}/questions.jsonl'?)",
    ),
    "folder of databases": (
        {"dataset": {"format": "jsonl", "path": "questions.jsonl", "databases": "database"}},
        "database: no such file or folder (did you mean '{folder}/databases'?)",
    ),
    "filter": (
        {"dataset": {"format": "jsonl", "path": "questions.jsonl", "filter": {"db_id": "shows"}}},
        "trial.yaml:2: unknown db_id in the filter: 'shows' (did you mean 'show'?)",
    ),
    "filter key": (
        {"dataset": {"format": "jsonl", "path": "questions.jsonl", "filter": {"dbid": "show"}}},
        "trial.yaml:2: unknown filter key 'dbid' (did you mean 'db_id'?)",
    ),
    "question id": (
        {"dataset": {"format": "jsonl", "path": "questions.jsonl", "only": ["q9"]}},
        "trial.yaml:2: unknown question id 'q9' (the dataset has 2 questions, from 'q0' to 'q1')",
    ),
    "adapter": (
        {"models": [{"adapter": "replya", "model": "tape"}]},
        "trial.yaml:6: unknown adapter 'replya' (did you mean 'replay'?)",
    ),
    "setting of an adapter": (
        {"models": [{"adapter": "replay", "model": "tape", "settings": {"pth": "a"}}]},
        "trial.yaml:6: unknown setting of adapter 'replay': 'pth' (did you mean 'path'?)",
    ),
    "missing setting": (
        {"models": [{"adapter": "replay", "model": "tape"}]},
        "trial.yaml:6: adapter 'replay' needs the setting 'path'",
    ),
    "key": (
        {"models": [{"adapter": "openai", "model": "gpt"}]},
        "trial.yaml:6: no key for openai (set the environment variable OPENAI_API_KEY"
        " or run `sqlassay keys set openai`)",
    ),
    "prompt": ({"prompts": ["zero_shot@1", "zero-shot"]}, "trial.yaml:15: unknown prompt 'zero-shot' (did you mean "),
    "folder of prompts": (
        {"prompt_folders": ["prompts"]},
        "prompts: there is no such folder of prompts",
    ),
    "backend": (
        {"backends": ["sqlite", "duckbd"]},
        "trial.yaml:15: unknown backend 'duckbd' (did you mean 'duckdb'?)",
    ),
    "strategy": (
        {"strategies": ["execution_match", "execution_mach"]},
        "trial.yaml:15: unknown strategy 'execution_mach' (did you mean 'execution_match'?)",
    ),
    "convention": (
        {"strategies": ["execution_match:brid"]},
        "trial.yaml:14: unknown convention 'brid' (did you mean 'bird'?)",
    ),
    "setting of a strategy": (
        {"strategies": [{"strategy": "execution_match", "settings": {"tolerance": 1}}]},
        "trial.yaml:14: unknown setting of convention 'sqlassay': 'tolerance' (",
    ),
    "true for a number among settings": (
        {"strategies": [{"strategy": "ves", "settings": {"repeats": True}}]},
        "trial.yaml:14: setting 'repeats' of strategy 'ves' is true (give a number)",
    ),
    "true for a number of an adapter": (
        {"models": [{"adapter": "openai", "model": "m", "settings": {"base_url": "http://h/v1", "timeout": True}}]},
        "trial.yaml:6: setting 'timeout' of adapter 'openai' is true (give a number)",
    ),
    "a model twice": (
        {"models": [TAPE, {**TAPE, "label": "again"}]},
        "trial.yaml:10: models.1, 'again', is the same as models.0, 'tape' (leave one out; `repeats: 2` asks twice)",
    ),
    "a model twice, written differently": (
        {"models": [TAPE, {**TAPE, "label": "again", "settings": {"path": "./answers.jsonl"}, "concurrency": 3}]},
        "trial.yaml:10: models.1, 'again', is the same as models.0, 'tape' (leave one out; ",
    ),
    "two models of one name": (
        {"models": [TAPE, {**TAPE, "parameters": {"seed": 1}}]},
        "trial.yaml:10: models.1 and models.0 are both called 'tape' (give one a `label`)",
    ),
    "a prompt twice": (
        {"prompts": ["zero_shot@1", "zero_shot@v1"]},
        "trial.yaml:15: prompts.1, 'zero_shot@v1', is the same as prompts.0, 'zero_shot@1' (leave one out; ",
    ),
    "a backend twice": (
        {"backends": ["sqlite", {"backend": "sqlite"}]},
        "trial.yaml:15: backends.1, 'sqlite', is the same as backends.0, 'sqlite' (leave one out; ",
    ),
    "two backends of one name": (
        {"backends": ["sqlite", {"backend": "sqlite", "target": "databases/show/show.sqlite"}]},
        "trial.yaml:15: backends.1 and backends.0 are both called 'sqlite' (give one a `label`)",
    ),
    "a strategy twice": (
        {"strategies": ["execution_match", "execution_match:sqlassay"]},
        "trial.yaml:13: the strategy 'execution_match' is there twice (leave one out)",
    ),
}


@pytest.mark.parametrize(("changes", "expected"), NOT_THERE.values(), ids=NOT_THERE)
def test_what_is_not_there_is_named_with_its_place(changes: dict[str, object], expected: str, world: World) -> None:
    world.questions(2)
    world.answers({"q0": "SELECT 1"})
    path = world.experiment(**changes)
    with pytest.raises(UserError) as caught:
        Grid(read_experiment(path))
    shown = str(caught.value).replace(str(world.folder) + "/", "", 1)
    assert shown.startswith(expected.replace("{folder}", str(world.folder)))
    assert "\n" not in shown
