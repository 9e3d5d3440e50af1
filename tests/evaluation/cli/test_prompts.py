"""`sqlassay prompts`: what is there, what it says, what a model would read, and what is refused."""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from evaluation.run_log import RunFolder
from sqlassay.chat_formats import chat_format
from sqlassay.messages import Message
from tests.evaluation.world import World, items_of, model_at
from tests.providers.server import ProviderServer, Reply

Capture = pytest.CaptureFixture[str]
BODY = """\
messages:
  - role: user
    content: |
      {{ schema }}
      {{ question }}
output: sql_block
"""


def write(world: World, name: str = "mine", version: int = 1, body: str = BODY, file: str = "") -> Path:
    path = world.folder / "prompts" / name / (file or f"v{version}.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"name: {name}\nversion: {version}\n{body}")
    return path


def dataset(world: World, question: str = "q0") -> list[str]:
    return ["--dataset", f"jsonl:{world.folder / 'questions.jsonl'}", "--id", question]


def test_list(world: World, capsys: Capture) -> None:
    paths = [write(world), write(world, version=2)]
    folder = ["--folder", str(world.folder / "prompts")]
    assert world.run("prompts", "lock", "mine@1", *folder) == 0
    capsys.readouterr()
    assert world.run("prompts", "list", *folder, "--json") == 0
    found = {one["ref"]: one for one in json.loads(capsys.readouterr().out)}
    assert {ref: one["state"] for ref, one in found.items() if ref.startswith(("mine", "zero"))} == {
        "mine@1": "released",
        "mine@2": "unreleased",
        **{f"zero_shot@{version}": "released" for version in (1, 2, 3, 4, 5)},
    }
    assert found["mine@2"]["path"] == str(paths[1])
    paths[0].write_text(paths[0].read_text() + "# edited\n")
    paths[1].write_text("[")
    assert world.run("prompts", "list", *folder, "--json") == 0
    found = {one["ref"]: one for one in json.loads(capsys.readouterr().out)}
    assert "add v3" in found["mine@1"]["problem"]
    assert "not valid YAML" in found["mine@2"]["problem"]
    assert world.run("prompts", "list", *folder) == 0


def test_show(world: World, capsys: Capture) -> None:
    assert world.run("prompts", "show", "zero_shot@1") == 0
    shown = capsys.readouterr().out
    assert "zero_shot@1, released" in shown
    assert "variables dialect, evidence, question, schema" in shown
    assert "──── user " in shown
    assert "{{ question }}" in shown
    assert world.run("prompts", "show", "zero_shot@1", "--json") == 0
    assert json.loads(capsys.readouterr().out)["messages"][1]["role"] == "user"


@pytest.mark.parametrize(
    "arguments", [[], ["--run", "latest"], ["--run", "latest", "zero_shot", "--id", "q0"], ["zero_shot", "--id", "q0"]]
)
def test_show_needs_one_thing_to_show(arguments: list[str], world: World) -> None:
    assert world.run("prompts", "show", *arguments) == 2


def test_what_render_shows_is_what_a_run_sends(world: World, server: ProviderServer, capsys: Capture) -> None:
    world.questions([{"id": "q0", "question": "How {{ many }}\n`x`? \x1b[2J"}, {"id": "q1"}])
    write(world)
    folder = str(world.folder / "prompts")
    models = [model_at(server.base_url), model_at(server.base_url, "other")]
    path = world.experiment(models=models, prompts=["zero_shot@1", "mine"], prompt_folders=["prompts"])
    assert world.run("run", path, "-q") == 0
    sent = {
        (run.manifest["model_label"], item.answer.prompt, item.id): item.answer.prompt_sha256
        for run in map(RunFolder, world.run_folders())
        for item in run.items()
        if item.answer is not None
    }
    assert len(sent) == 8
    asked = len(server.requests)
    capsys.readouterr()
    for (model, prompt, question), sha256 in sent.items():
        alone = ["prompts", "render", prompt, *dataset(world, question), "--folder", folder]
        within = ["prompts", "render", prompt, "--experiment", path, "--model", model, "--id", question]
        for arguments in (alone, within):
            assert world.run(*arguments, "--json") == 0
            (shown,) = json.loads(capsys.readouterr().out)
            assert (shown["prompt"], shown["sha256"]) == (prompt, sha256)
    assert len(server.requests) == asked


def test_raw_is_byte_for_byte(world: World, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    question = "How {{ many }}\r\n`x`? \x1b[2J\0 ü  "
    world.questions([{"id": "q0", "question": question}])
    write(world, body=BODY.replace("{{ schema }}\n      ", ""))
    done = world.command("prompts", "render", "mine", *dataset(world), "--folder", "prompts", "--raw")
    assert done.returncode == 0, done.stderr
    sys.stdout.flush()
    capfdbinary.readouterr()
    assert world.run("prompts", "render", "mine", *dataset(world), "--folder", world.folder / "prompts", "--raw") == 0
    assert capfdbinary.readouterr().out == question.encode()


def test_render_for_people_commands_no_terminal(world: World, capsys: Capture) -> None:
    world.questions([{"id": "q0", "question": "How many\x1b[2J?"}])
    assert world.run("prompts", "render", "zero_shot@1", *dataset(world)) == 0
    shown = capsys.readouterr().out
    assert "How many\\x1b[2J?" in shown
    assert "CREATE TABLE singer" in shown
    assert "tokens, counted by" in shown
    assert "no --model is given" in shown


def test_a_chat_format(world: World, capsys: Capture) -> None:
    world.questions(1)
    arguments = ["prompts", "render", "zero_shot@1", *dataset(world), "--json"]
    assert world.run(*arguments, "--chat-format", "phi3") == 0
    (shown,) = json.loads(capsys.readouterr().out)
    messages = [Message(one["role"], one["content"]) for one in shown["messages"]]
    assert shown["text"] == chat_format("phi3").prompt(messages)
    assert shown["stop"] == list(chat_format("phi3").stop)
    assert world.run(*arguments, "--chat-format", "phi9") == 2
    assert "there is no chat format 'phi9'" in capsys.readouterr().err


def test_the_format_of_an_experiment_s_own_model(world: World, capsys: Capture) -> None:
    world.questions(1)
    settings = {"api": "generate", "chat_format": "chatml", "num_ctx": 300}
    path = world.experiment(models=[{"adapter": "ollama", "model": "small", "settings": settings}])
    assert world.run("prompts", "render", "--experiment", path, "--id", "q0", "--json") == 0
    (shown,) = json.loads(capsys.readouterr().out)
    assert shown["text"].startswith("<|im_start|>system\n")
    assert (shown["context_length"], shown["fits"]) == (300, True)


def test_what_is_left_out_of_the_schema_and_where_the_model_is_to_stop(world: World, capsys: Capture) -> None:
    world.questions([{"id": "q0", "question": "How many?"}])
    write(world, body=BODY + "stop: [';', '#']\n")
    models = [{"adapter": "ollama", "model": "small", "schema_tokens": 1, "parameters": {"stop": ["#", "--"]}}]
    path = world.experiment(models=models, prompts=["mine"], prompt_folders=["prompts"])
    arguments = ["prompts", "render", "--experiment", path, "--id", "q0"]
    assert world.run(*arguments, "--json") == 0
    (shown,) = json.loads(capsys.readouterr().out)
    assert shown["stop"] == ["#", "--", ";"]
    assert shown["schema_left_out"] == ["singer.name", "singer.age"]
    assert world.run(*arguments) == 0
    assert "\nleft out  singer.name, singer.age, for want of space\n" in capsys.readouterr().out


def test_a_prompt_of_an_experiment_is_shown_without_a_key(
    world: World, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    world.questions(1)
    path = world.experiment(models=[{"adapter": "openai", "model": "gpt-4o-mini"}])
    assert world.run("prompts", "render", "--experiment", path, "--id", "q0") == 0
    assert "singer" in capsys.readouterr().out
    assert world.run("run", path, "--quiet") == 2
    assert "no key for openai" in capsys.readouterr().err


def test_a_prompt_that_does_not_fit(world: World, capsys: Capture) -> None:
    world.questions([{"id": "q0", "question": "How many? " * 10_000}])
    arguments = ["prompts", "render", "zero_shot@1", *dataset(world), "--model", "ollama:small"]
    assert world.run(*arguments) == 1
    assert "DOES NOT FIT: small has room for 8,192 tokens" in capsys.readouterr().out
    model = {"adapter": "ollama", "model": "small", "parameters": {"max_tokens": 8_192}}
    world.questions(1)
    path = world.experiment(models=[model])
    assert world.run("prompts", "render", "--experiment", path, "--id", "q0") == 1
    assert "DOES NOT FIT with an answer of 8,192" in capsys.readouterr().out


def test_a_model_without_its_key_is_no_hindrance(world: World, capsys: Capture) -> None:
    world.questions(1)
    assert world.run("prompts", "render", "zero_shot@1", *dataset(world), "--model", "anthropic:some-model") == 0
    assert "the context limit of some-model is unknown" in capsys.readouterr().out


def test_the_room_that_only_a_table_knows(
    world: World, server: ProviderServer, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    world.questions(1)
    arguments = ["prompts", "render", "zero_shot@1", *dataset(world), "--model", "openai:gpt-4o-mini"]
    assert world.run(*arguments) == 0
    table = f"genai-prices {version('genai-prices')}"
    room = "fits: gpt-4o-mini has room for 128,000 tokens, prompt and answer together"
    assert f"{room}, says the table of {table}\n" in capsys.readouterr().out
    assert world.run(*arguments, "--json") == 0
    (shown,) = json.loads(capsys.readouterr().out)
    assert (shown["context_length"], shown["context_length_from"], shown["fits"]) == (128_000, table, True)
    world.questions([{"id": "q0", "question": "How many? " * 60_000}])
    assert world.run(*arguments) == 1
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)  # of another's server the table knows nothing
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    capsys.readouterr()
    assert world.run(*arguments) == 0
    assert "the context limit of gpt-4o-mini is unknown" in capsys.readouterr().out


def test_the_room_that_a_provider_says(
    world: World, server: ProviderServer, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    server.models = Reply(body={"data": [{"id": "gpt-4o-mini", "context_length": 77_000}]})
    world.questions(1)
    arguments = ["prompts", "render", "zero_shot@1", *dataset(world), "--model", "openai:gpt-4o-mini"]
    assert world.run(*arguments, "--json") == 0
    (shown,) = json.loads(capsys.readouterr().out)
    assert (shown["context_length"], shown["context_length_from"]) == (77_000, "provider")


UNCLEAR = {
    "no question": (["zero_shot", "--dataset", "jsonl:questions.jsonl"], "no question is named"),
    "no dataset": (["zero_shot", "--id", "q0"], "where is the question?"),
    "no prompt": (["--dataset", "jsonl:questions.jsonl", "--id", "q0"], "no prompt is named"),
    "another question": (
        ["zero_shot", "--dataset", "jsonl:questions.jsonl", "--id", "q9"],
        "unknown question id 'q9'",
    ),
    "another prompt": (
        ["zero_shoot", "--dataset", "jsonl:questions.jsonl", "--id", "q0"],
        "did you mean 'zero_shot'?",
    ),
    "another provider": (
        ["zero_shot", "--dataset", "jsonl:questions.jsonl", "--id", "q0", "--model", "opnai:x"],
        "unknown adapter 'opnai'",
    ),
    "several models": (["--experiment", "trial.yaml", "--id", "q0"], "the experiment has several models"),
    "another model": (["--experiment", "trial.yaml", "--id", "q0", "--model", "c"], "unknown model 'c'"),
}


@pytest.mark.parametrize(("arguments", "problem"), UNCLEAR.values(), ids=UNCLEAR)
def test_what_is_not_clear_is_asked_for(
    arguments: list[str], problem: str, world: World, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.folder)
    world.questions(1)
    world.answers({})
    tapes = [{"adapter": "replay", "model": name, "settings": {"path": "answers.jsonl"}} for name in "ab"]
    world.experiment(models=tapes)
    assert world.run("prompts", "render", *arguments) == 2
    assert problem in capsys.readouterr().err


def test_diff(world: World, capsys: Capture) -> None:
    world.questions(1)
    write(world)
    write(world, version=2, body=BODY.replace("{{ question }}", "Question: {{ question }}"))
    folder = ["--folder", str(world.folder / "prompts")]
    assert world.run("prompts", "diff", "mine@1", "mine@2", *folder) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[:2] == ["--- mine@1", "+++ mine@2"]
    assert [line for line in shown[2:] if line[0] in "+-"] == ["-{{ question }}", "+Question: {{ question }}"]
    assert world.run("prompts", "diff", "mine@1", "mine@2", *folder, *dataset(world)) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[:2] == ["--- mine@1 for q0", "+++ mine@2 for q0"]
    assert [line for line in shown[2:] if line[0] in "+-"] == ["-Question q0?", "+Question: Question q0?"]
    assert world.run("prompts", "diff", "mine@1", "mine@1", *folder) == 0
    assert capsys.readouterr().out == ""


def test_settings_are_shown_as_data(world: World, capsys: Capture) -> None:
    assert world.run("prompts", "diff", "zero_shot@1", "decompose@1") == 0
    assert '+linking: "schema_link@1"\n+linker: {"ref": "schema_link@1", "sha256": ' in capsys.readouterr().out
    assert world.run("prompts", "show", "few_shot@2", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["examples"] == {"select": "similar", "count": 5}
    assert shown["schema"]["format"] == "ddl"


def test_from_new_to_released(world: World, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.folder)
    assert world.run("prompts", "new", "mine") == 0
    path = Path(capsys.readouterr().out.strip())
    assert path == Path("prompts/mine/v1.yaml")
    assert world.run("prompts", "lint", path) == 0
    path.write_text(path.read_text().replace("{{ question }}", "{{ question | uper }} "))
    capsys.readouterr()
    assert world.run("prompts", "lint", "--folder", "prompts") == 1
    shown = capsys.readouterr()
    assert "prompts/mine/v1.yaml:27: error: unknown filter 'uper' (did you mean 'upper'?)" in shown.out
    assert "prompts/mine/v1.yaml:27: warning: white space at the end of the line goes to the model" in shown.out
    assert "1 error, 1 warning" in shown.err
    assert world.run("prompts", "lock") == 2
    assert "prompts/mine/v1.yaml:27: cannot be released: unknown filter 'uper'" in capsys.readouterr().err
    path.write_text(path.read_text().replace(" | uper", ""))
    assert world.run("prompts", "lint", "mine", "--folder", "prompts") == 0
    assert world.run("prompts", "lint", "mine", "--folder", "prompts", "--strict", "--json") == 1
    capsys.readouterr()
    assert world.run("prompts", "lock") == 0
    assert capsys.readouterr().out.startswith("mine@1  ")
    assert world.run("prompts", "lock", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []
    path.write_text(path.read_text() + "# edited\n")
    assert world.run("prompts", "lock") == 2
    assert "released prompts are never edited: restore the file, or add v2" in capsys.readouterr().err
    assert world.run("prompts", "lint") == 0


BAD: dict[str, tuple[dict[str, str], str]] = {
    "missing variable": (
        {"body": BODY.replace("{{ schema }}", "{% if evidence %}{{ hints }}{% endif %}")},
        "prompts/mine/v1.yaml: unknown variable in prompt mine@1: 'hints'",
    ),
    "unknown filter": (
        {"body": BODY.replace("question }}", "question | uper }}")},
        "prompts/mine/v1.yaml: messages[0].content: line 2: No filter named 'uper'.",
    ),
    "attribute": (
        {"body": BODY.replace("{{ question", "{{ evidence and question.__class__ }}{{ question")},
        "prompts/mine/v1.yaml: messages[0].content: line 2: '__class__' of 'question' is out of reach of a prompt",
    ),
    "duplicate version": ({"file": "v01.yaml"}, "version 1 of prompt 'mine' is there twice: "),
    "duplicate key": ({"body": BODY + "output: json\n"}, "prompts/mine/v1.yaml:9: the key 'output' is there twice"),
}


@pytest.mark.parametrize(("change", "problem"), BAD.values(), ids=BAD)
def test_a_bad_prompt_stops_a_run_before_anything_is_asked(
    change: dict[str, str], problem: str, world: World, server: ProviderServer, capsys: Capture
) -> None:
    write(world)
    write(world, **change)  # type: ignore[arg-type]
    world.questions([{"id": "q0"}, {"id": "q1", "evidence": "some"}])
    path = world.experiment(models=[model_at(server.base_url)], prompts=["mine"], prompt_folders=["prompts"])
    assert world.run("run", path, "-q") == 2
    assert problem in capsys.readouterr().err
    folder = world.folder / "prompts"
    assert world.run("prompts", "render", "mine", *dataset(world, "q1"), "--folder", folder) == 2
    assert world.run("prompts", "lint", folder) == 1
    assert server.requests == []


def test_a_released_file_that_was_edited_stops_a_run(world: World, server: ProviderServer, capsys: Capture) -> None:
    path = write(world)
    world.questions(1)
    experiment = world.experiment(models=[model_at(server.base_url)], prompts=["mine"], prompt_folders=["prompts"])
    assert world.run("run", experiment, "-q") == 0
    capsys.readouterr()
    assert world.run("runs", "show", "latest", "--runs", world.runs) == 0
    assert re.search("unreleased +mine@1", capsys.readouterr().out)
    assert world.run("prompts", "lock", "--folder", world.folder / "prompts") == 0
    assert world.run("run", experiment, "-q") == 0
    latest = RunFolder(world.run_folders()[-1])
    assert [(one["ref"], one["released"]) for one in latest.manifest["prompts"]] == [("mine@1", True)]
    path.write_text(path.read_text() + "# better\n")
    assert world.run("run", experiment, "-q") == 2
    assert "released prompts are never edited: restore the file, or add v2" in capsys.readouterr().err
    assert len(items_of(latest.path)) == 1


def test_a_prompt_that_is_linked_by_another_shows_both(world: World, capsys: Capture) -> None:
    world.questions(1)
    assert world.run("prompts", "render", "decompose@1", *dataset(world), "--json") == 0
    linker, linked = json.loads(capsys.readouterr().out)
    assert (linker["prompt"], linked["prompt"]) == ("schema_link@1", "decompose@1")
    assert (linker["linked_by"], linked["linked_by"]) == (None, "schema_link@1")
    world.answers({})
    assert (
        world.run("prompts", "render", "decompose@1", "--experiment", world.experiment(), "--id", "q0", "--json") == 0
    )
    assert [one["sha256"] for one in json.loads(capsys.readouterr().out)] == [linker["sha256"], linked["sha256"]]


def test_a_prompt_with_examples_needs_an_experiment(world: World, capsys: Capture) -> None:
    world.questions(1)
    assert world.run("prompts", "render", "few_shot@1", *dataset(world)) == 2
    assert "prompt few_shot@1 shows examples (give --experiment FILE" in capsys.readouterr().err


def test_there_is_nothing_to_release(world: World, capsys: Capture) -> None:
    folder = world.folder / "none"
    folder.mkdir()
    assert world.run("prompts", "lock", "--folder", str(folder)) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert " ".join(shown.err.split()).endswith("none holds no prompts: each is <name>/v<N>.yaml")
    assert list(folder.iterdir()) == []
    assert world.run("prompts", "lock", "--folder", str(folder), "--json") == 0
    assert json.loads(capsys.readouterr().out) == []


def test_half_a_character_is_refused_as_a_run_does(world: World, capsys: Capture) -> None:
    world.questions([{"id": "odd", "question": "What is \ud83d?"}])
    assert world.run("prompts", "render", "zero_shot@1", *dataset(world, "odd")) == 2
    assert "the prompt cannot be sent: it holds U+D83D, half a character" in " ".join(capsys.readouterr().err.split())
