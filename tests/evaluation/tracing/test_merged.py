"""Shards are not copied to Langfuse; the run that they are merged to is, as if it had run as one."""

from __future__ import annotations

import pytest

from tests.evaluation.world import World
from tests.providers.langfuse_copy import LangfuseCopy


def test_what_was_merged_is_published_once(
    asked: World, langfuse: LangfuseCopy, capsys: pytest.CaptureFixture[str]
) -> None:
    path = asked.experiment(langfuse=True, max_instrument_failures=1.0)
    for number in (1, 2, 3):
        shard = ("--shard", f"{number}/3", "--runs", asked.folder / "shards")
        assert asked.run("run", path, "--quiet", *shard) == 0
    assert "Langfuse: shards are not copied; once they are merged: sqlassay langfuse publish latest" in (
        capsys.readouterr().err.splitlines()
    )
    assert langfuse.requests.total() == 0
    assert asked.run("runs", "merge", asked.folder / "shards", "--runs", asked.runs) == 0
    assert asked.run("langfuse", "publish", "latest", "--runs", asked.runs) == 0
    assert (len(langfuse.traces), len(langfuse.scores), len(langfuse.items)) == (5, 16, 5)
