"""Every byte that reached a model is in the run: held against what a provider really got, for any question."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from evaluation.run_log import RunFolder
from prompts.template import RenderedPrompt
from sqlassay.messages import Message
from tests.evaluation.world import World, items_of, model_at
from tests.providers.ollama import OllamaGenerate
from tests.providers.server import ProviderServer

Capture = pytest.CaptureFixture[str]


def received(server: ProviderServer) -> set[str]:
    """The digests of what a provider got, made from nothing but the requests."""
    return {
        RenderedPrompt.of(tuple(Message(m["role"], m["content"]) for m in request["messages"])).sha256
        for request in server.requests
    }


def answers(run: Path) -> list[dict[str, Any]]:
    """The records of all answers of a run, those on the way included."""
    items = items_of(run)
    calls = [call["answer"] for item in items for call in item["calls"]]
    return [answer for answer in [*calls, *(item["answer"] for item in items)] if answer is not None]


QUESTIONS = {
    "braces": "{{ schema }} {% if x %} {# no #} {% raw %} {{",
    "backticks": "```sql\nSELECT 1;\n``` and `x`",
    "long": "How many {{ a }} `b` ü 问 " * 4_000,
    "controls": "a\x01b\x1b[2Jc\x7f\r\n\td\x85\u2028e",
    "right to left": "كم عدد المغنين؟ \u202eabc\u202c",
    "nul": "a\0b",
    "empty": "",
    "ends in spaces": "How many?   \n\n",
}


def test_what_a_provider_got_is_what_is_recorded(world: World, server: ProviderServer, capsys: Capture) -> None:
    world.questions([{"id": name, "question": text} for name, text in QUESTIONS.items() if text])
    assert world.run("run", world.experiment(models=[model_at(server.base_url)]), "-q") == 0
    (run,) = world.run_folders()
    recorded = RunFolder(run).prompts()
    assert len(recorded) == len(QUESTIONS) - 1
    assert set(recorded) == received(server) == {answer["prompt_sha256"] for answer in answers(run)}
    for item in items_of(run):
        answer = item["answer"]
        assert answer["prompt"] == "zero_shot@1"
        assert answer["prompt_template_sha256"].startswith("90622d88")
        found = recorded[answer["prompt_sha256"]]
        assert not found.altered
        assert f"Question:\n\n{QUESTIONS[item['id']]}\n\nAnswer with" in found.messages[1].content
    capsys.readouterr()
    for name in ("braces", "controls", "long"):
        assert world.run("prompts", "show", "--run", run, "--id", name, "--json") == 0
        (shown,) = json.loads(capsys.readouterr().out)
        assert QUESTIONS[name] in shown["messages"][1]["content"]


def test_a_lone_surrogate_costs_one_item_and_no_other(world: World, server: ProviderServer) -> None:
    world.questions([{"id": "odd", "question": "What is \ud83d?"}, {"id": "plain"}])
    world.run("run", world.experiment(models=[model_at(server.base_url)], max_instrument_failures=1), "-q")
    (run,) = world.run_folders()
    assert {item["id"] for item in items_of(run)} == {"odd", "plain"}
    (odd,) = (item for item in items_of(run) if item["id"] == "odd")
    (verdict,) = odd["verdicts"]
    assert verdict["status"] == "unscored"
    assert verdict["evidence"]["error"].startswith("the prompt cannot be sent: it holds U+D83D, half a character")
    (plain,) = (item for item in items_of(run) if item["id"] == "plain")
    assert plain["answer"]["prompt_sha256"] in received(server)


COMPOSITE = {
    "repair": lambda url: {"repair": {"model": model_at(url, "prose"), "attempts": 1}},
    "self-consistency": lambda url: {"self_consistency": {"model": model_at(url), "samples": 2}},
    "router": lambda url: {
        "router": {
            "routes": {"a": {"model": model_at(url)}, "b": {"model": model_at(url, "other")}},
            "default": "a",
            "classifier": model_at(url, "good"),
        }
    },
    "fallback": lambda url: {"fallback": [model_at(url, "broken"), model_at(url)]},
}


@pytest.mark.parametrize("model", COMPOSITE.values(), ids=COMPOSITE)
def test_all_that_a_composite_model_asks_is_recorded(model: Any, world: World, server: ProviderServer) -> None:
    world.questions(2)
    path = world.experiment(models=[model(server.base_url)], retry={"attempts": 1}, max_instrument_failures=1)
    world.run("run", path, "-q")
    (run,) = world.run_folders()
    assert received(server)
    assert set(RunFolder(run).prompts()) == received(server) == {answer["prompt_sha256"] for answer in answers(run)}
    assert {answer["prompt"] for answer in answers(run)} >= {"zero_shot@1"}


def test_a_run_from_before_prompts_were_recorded_is_read_and_resumed(
    world: World, server: ProviderServer, capsys: Capture
) -> None:
    world.questions(3)
    assert world.run("run", world.experiment(models=[model_at(server.base_url)]), "-q", "--no-cache") == 0
    (run,) = world.run_folders()
    (run / "prompts.jsonl").unlink()
    lines = [json.loads(line) for line in (run / "items.jsonl").read_text().splitlines()]
    for line in lines:
        for key in ("prompt", "prompt_template_sha256", "chat_format", "sent_sha256"):
            del line["answer"][key]
    (run / "items.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines[:2]))
    manifest = json.loads((run / "manifest.json").read_text())
    del manifest["prompts"]
    (run / "manifest.json").write_text(json.dumps({**manifest, "status": "interrupted"}))
    assert world.run("report", run) == 0
    assert world.run("runs", "show", run) == 0
    assert world.run("run", "--resume", "--runs", world.runs, "-q", "--no-cache") == 0
    assert "prompts.jsonl" not in capsys.readouterr().err
    assert len(server.requests) == 3  # the answer is kept with the run
    assert len(RunFolder(run).prompts()) == 1
    capsys.readouterr()
    assert world.run("prompts", "show", "--run", run, "--id", lines[0]["id"]) == 0
    assert "not recorded: this run was begun before prompts were" in capsys.readouterr().out


def test_no_value_of_the_environment_is_in_a_recorded_prompt(
    world: World, server: ProviderServer, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("CANARY", "c4n4ry-7")
    world.questions([{"id": "q0", "question": "What does c4n4ry-7 mean?"}, {"id": "q1"}])
    model = model_at(server.base_url, parameters={"user": "${CANARY}"})
    assert world.run("run", world.experiment(models=[model]), "-q") == 0
    (run,) = world.run_folders()
    assert "c4n4ry" not in (run / "prompts.jsonl").read_text()
    assert set(RunFolder(run).prompts()) == received(server)
    assert sorted(one.altered for one in RunFolder(run).prompts().values()) == [False, True]
    capsys.readouterr()
    assert world.run("prompts", "show", "--run", run, "--id", "q0") == 0
    assert "altered: " in capsys.readouterr().out


def test_the_one_text_of_a_chat_format_is_recorded_too(world: World, capsys: Capture) -> None:
    world.questions([{"id": "plain"}, {"id": "odd", "question": "How many <|im_end|> singers?"}])
    with ProviderServer(OllamaGenerate()) as ollama:
        raw = {"base_url": ollama.base_url, "api": "generate", "chat_format": "chatml"}
        model = {"adapter": "ollama", "model": "good", "settings": raw}
        assert world.run("run", world.experiment(models=[model]), "-q") == 0
        sent = {
            hashlib.sha256(request["prompt"].encode()).hexdigest(): request["prompt"] for request in ollama.requests
        }
    (run,) = world.run_folders()
    assert {answer["sent_sha256"] for answer in answers(run)} == set(sent)
    capsys.readouterr()
    for question, broken_up in (("plain", False), ("odd", True)):
        assert world.run("prompts", "show", "--run", run, "--id", question, "--json") == 0
        (shown,) = json.loads(capsys.readouterr().out)
        assert shown["text"] == sent[shown["sent_sha256"]]
        assert (shown["chat_format"], shown["tokens_broken_up"]) == ("chatml", broken_up)
    assert world.run("prompts", "show", "--run", run, "--id", "odd") == 0
    told = capsys.readouterr().out
    assert "sent as one text in the chat format chatml, sha256 " in told
    assert "tokens of the format: broken up by a space" in told
    assert "How many <|im_end|> singers?" in told
    assert "How many < |im_end|> singers?" in told
    path = run / "items.jsonl"
    path.write_text(path.read_text().replace('"sent_sha256":"', '"sent_sha256":"0'))
    assert world.run("prompts", "show", "--run", run, "--id", "odd") == 0
    assert "which is not shown: this version of sqlassay makes another of the messages" in capsys.readouterr().out


def test_a_value_of_the_environment_is_not_in_the_one_text_either(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("CANARY", "c4n4ry-7")
    world.questions([{"id": "q0", "question": "What does c4n4ry-7 mean?"}])
    with ProviderServer(OllamaGenerate()) as ollama:
        raw = {"base_url": ollama.base_url, "api": "generate", "chat_format": "chatml"}
        parameters = {"user": "${CANARY}"}
        model = {"adapter": "ollama", "model": "good", "settings": raw, "parameters": parameters}
        assert world.run("run", world.experiment(models=[model]), "-q") == 0
        (request,) = ollama.requests
    (run,) = world.run_folders()
    (answer,) = answers(run)
    assert answer["sent_sha256"] == hashlib.sha256(request["prompt"].encode()).hexdigest()
    capsys.readouterr()
    assert world.run("prompts", "show", "--run", run, "--id", "q0") == 0
    told = capsys.readouterr().out
    assert "altered: " in told
    assert "──── one text " in told
    assert "c4n4ry" not in told


def test_messages_that_a_chat_format_has_no_place_for_are_said_not_to_be_sent(world: World, capsys: Capture) -> None:
    world.questions(1)
    turns = "".join(f"  - {{role: user, content: '{text}'}}\n" for text in ("{{ schema }}", "{{ question }}"))
    (world.folder / "twice.yaml").write_text(f"name: twice\nversion: 1\nmessages:\n{turns}output: sql_block\n")
    with ProviderServer(OllamaGenerate()) as ollama:
        raw = {"base_url": ollama.base_url, "api": "generate", "chat_format": "llama2"}
        model = {"adapter": "ollama", "model": "good", "settings": raw}
        path = world.experiment(models=[model], prompts=["./twice.yaml"], max_instrument_failures=1)
        world.run("run", path, "-q")
        assert ollama.requests == []
    (run,) = world.run_folders()
    capsys.readouterr()
    assert world.run("prompts", "show", "--run", run, "--id", "q0") == 0
    assert "not sent: the chat format llama2 has no place for these messages" in capsys.readouterr().out


def test_a_record_that_is_gone_is_not_one_that_never_was(world: World, server: ProviderServer, capsys: Capture) -> None:
    world.questions(2)
    assert world.run("run", world.experiment(models=[model_at(server.base_url)]), "-q") == 0
    (run,) = world.run_folders()
    path = run / "prompts.jsonl"
    for change, problem in ((path.unlink, "is not there any more"), (path.touch, "does not hold it any more")):
        change()
        capsys.readouterr()
        assert world.run("prompts", "show", "--run", run, "--id", "q0") == 0
        assert f"missing: {path} {problem}; restore the file" in capsys.readouterr().out


def test_resuming_without_the_record_of_prompts_says_so(world: World, server: ProviderServer) -> None:
    world.questions(2)
    assert world.run("run", world.experiment(models=[model_at(server.base_url)]), "-q") == 0
    (run,) = world.run_folders()
    (run / "prompts.jsonl").unlink()
    (run / "items.jsonl").write_text((run / "items.jsonl").read_text().splitlines(keepends=True)[0])
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, "status": "interrupted"}))
    done = world.command("run", "--resume", "--runs", world.runs, "-q")
    assert done.returncode == 0
    (line,) = (line for line in done.stderr.splitlines() if "prompts.jsonl" in line)
    assert line == f"{run / 'prompts.jsonl'} is missing: what its items were asked cannot be shown; restore the file"


def test_a_changed_record_is_refused(world: World, server: ProviderServer, capsys: Capture) -> None:
    world.questions(1)
    assert world.run("run", world.experiment(models=[model_at(server.base_url)]), "-q") == 0
    (run,) = world.run_folders()
    path = run / "prompts.jsonl"
    path.write_text(path.read_text().replace("Question q0?", "Question q1?"))
    assert world.run("prompts", "show", "--run", run, "--id", "q0") == 2
    assert "is not what was sent" in capsys.readouterr().err
