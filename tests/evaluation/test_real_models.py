"""A whole run of `sqlassay` against real model servers, whose tiny model knows no SQL."""

from __future__ import annotations

import json

import pytest

from tests.evaluation.world import World, items_of
from tests.servers.tiny_gguf import NAME

PARAMETERS = {"temperature": 0, "max_tokens": 20, "seed": 1}


def test_a_run_over_both_servers_is_recorded_whole(
    world: World, llama_server: str, ollama_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """No verdict is an instrument's failure, and nothing that the servers say is missing."""
    world.questions(2)
    common = {"model": NAME, "parameters": PARAMETERS, "stream": True}
    raw = {"base_url": ollama_server, "api": "generate", "chat_format": "chatml"}
    models = [
        {**common, "label": "llama", "adapter": "openai", "settings": {"base_url": f"{llama_server}/v1"}},
        {**common, "label": "ollama", "adapter": "ollama", "settings": {"base_url": ollama_server}},
        {**common, "label": "raw", "adapter": "ollama", "settings": raw},
    ]
    assert world.run("run", world.experiment(models=models, cache="run"), "--quiet", "--json") == 0
    found = json.loads(capsys.readouterr().out)["runs"]
    assert [run["title"].partition(" ")[0] for run in found] == ["llama", "ollama", "raw"]
    for run in found:
        assert (run["items"], run["strategies"][0]["scored"]) == (2, 2)
    read = set()
    for folder in world.run_folders():
        items = items_of(folder)
        assert [item["id"] for item in sorted(items, key=lambda item: item["position"])] == ["q0", "q1"]
        for item in items:
            answer = item["answer"]
            assert item["verdicts"][0]["status"] == "incorrect"
            assert answer["model"] == NAME
            assert answer["text"]
            assert 0 < answer["output_tokens"] <= 20
            assert answer["finish_reason"] == ("length" if answer["output_tokens"] == 20 else "stop")
            assert 0 < answer["first_token_seconds"] <= answer["seconds"]
            assert (answer["attempts"], answer["dropped"], answer["cached"]) == ([], [], False)
            read.add((item["id"], answer["prompt_sha256"], answer["input_tokens"]))
    assert len(read) == 2, "the same prompts, counted alike by all three"
