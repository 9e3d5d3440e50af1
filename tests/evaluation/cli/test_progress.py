"""Progress: a bar on a terminal, plain lines elsewhere, and nothing that a narrow terminal would cut off."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from evaluation.cli import progress
from evaluation.cli.progress import ProgressDisplay
from evaluation.records import AnswerRecord, ItemRecord, VerdictRecord
from evaluation.verdicts import Reason, Verdict
from tests.evaluation.world import SQLASSAY, World, model_at
from tests.providers.server import ProviderServer

Capture = pytest.CaptureFixture[str]


def on_a_terminal(columns: int, cwd: Path, *arguments: str | Path) -> tuple[int, str]:
    """Run `sqlassay` with a terminal for its talk; gives the exit code and what was shown, without colours."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    process = subprocess.Popen([SQLASSAY, *arguments], cwd=cwd, stdout=subprocess.DEVNULL, stderr=its, env=environment)
    os.close(its)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65_536)
        except OSError:  # Linux's way to say that the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    return process.wait(timeout=30), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())


@pytest.mark.parametrize("columns", [80, 160])
def test_a_bar_on_a_terminal(columns: int, world: World, server: ProviderServer) -> None:
    world.questions([*({"id": f"q{n}"} for n in range(150)), {"id": "z", "gold": "SELECT nope"}])
    model = model_at(server.base_url, concurrency=2, prices={"input": 1_000, "output": 1_000})
    code, shown = on_a_terminal(columns, world.folder, "run", world.experiment(models=[model]))
    assert code == 0, shown
    frames = re.split(r"[\r\n]+", shown)
    bars = [frame for frame in frames if "━" in frame]
    assert len(bars) > 2
    for bar in bars:
        assert re.fullmatch(r"\[1\] good · zero_shot@1 · sqlite [━╸╺]{24} +\d+/151 +(--:--|\d\d:\d\d) *", bar), bar
        assert len(bar) <= columns
    assert any(re.search(r"\d\d:\d\d", bar) for bar in bars)
    numbers = [frame for frame in frames if frame.startswith("    correct ")]
    assert numbers
    for line in numbers:
        pattern = r" +correct \d+/\d+ · failed 0 · unscored [01] · tokens [\d,]+ · cost \d+\.\d{4} *"
        assert re.fullmatch(pattern, line), line
        assert len(line) <= columns
    counted = "151/151 correct 150/150 · failed 0 · unscored 1 · tokens 22,650 · cost 22.6500"
    assert f"[1] good · zero_shot@1 · sqlite: {counted}" in " ".join(frames)


def test_plain_lines_where_there_is_no_terminal(world: World, server: ProviderServer) -> None:
    world.questions(3)
    done = world.command("run", world.experiment(models=[model_at(server.base_url)]))
    assert done.returncode == 0
    assert done.stderr.splitlines()[0] == (
        "[1] good · zero_shot@1 · sqlite: 3/3 correct 3/3 · failed 0 · unscored 0 · tokens 450"
    )
    assert "\x1b" not in done.stderr + done.stdout
    assert "━" not in done.stderr + done.stdout


def test_quiet_is_quiet(world: World, server: ProviderServer) -> None:
    world.questions(3)
    code, shown = on_a_terminal(80, world.folder, "run", "-q", world.experiment(models=[model_at(server.base_url)]))
    assert (code, shown.count("\n")) == (0, 1)
    assert shown.startswith("recorded in ")


def record(number: int, reason: Reason, **answer: object) -> ItemRecord:
    return ItemRecord(
        f"q{number}",
        number,
        "show",
        "?",
        answer=AnswerRecord("abc", **answer) if answer else None,  # type: ignore[arg-type]
        verdicts=(VerdictRecord.of("execution_match", Verdict.of(reason)),),
    )


def test_lines_come_at_intervals(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    clock = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    with ProgressDisplay() as display:
        display.begin("tape", 100, done=10)
        for number in range(10, 40):
            clock[0] += 2
            display.item(record(number, Reason.MATCH if number % 2 else Reason.NO_SQL))
    assert capsys.readouterr().err.splitlines() == [
        "tape: 18/100 correct 4/8 · failed 4 · unscored 0 · about 3 min left",
        "tape: 26/100 correct 8/16 · failed 8 · unscored 0 · about 2 min left",
        "tape: 34/100 correct 12/24 · failed 12 · unscored 0 · about 2 min left",
    ]


def test_what_the_provider_does_not_say_is_not_shown_as_nothing(capsys: Capture) -> None:
    with ProgressDisplay() as display:
        display.begin("tape", 3)
        display.item(record(0, Reason.MATCH, finish_reason="stop"))
        display.end()
        display.item(record(1, Reason.MATCH, finish_reason="stop", input_tokens=1000, output_tokens=234, cost=0.5))
        display.item(record(2, Reason.GOLD_FAILED, finish_reason="stop", cached=True, input_tokens=9, cost=0.0))
        display.end()
    assert capsys.readouterr().err.splitlines()[0] == ("tape: 1/3 correct 1/1 · failed 0 · unscored 0 · about 0 s left")


def test_brackets_in_a_title_are_shown(capsys: Capture) -> None:
    with ProgressDisplay() as display:
        display.begin("[/x] [bold]model", 1)
        display.item(record(0, Reason.MATCH))
        display.end()
    assert capsys.readouterr().err.startswith("[/x] [bold]model: 1/1 ")
