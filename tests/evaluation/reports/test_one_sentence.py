"""The verdict of a comparison is the same on the screen, in Markdown and in HTML."""

from __future__ import annotations

import re
from html import escape, unescape
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.evaluation.compare.test_comparison import run as marked_run
from tests.evaluation.world import World

PAIRS = {
    "better": ("-" * 30 + "+" * 40 + "?", "+" * 65 + "-" * 6),
    "no difference": ("+-" * 20, "-+" * 20),
    "nothing scored": ("?" * 5, "+" * 5),
}


def words(html: str) -> str:
    """The text of a page, white space made one."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


@pytest.mark.parametrize("marks", PAIRS.values(), ids=PAIRS)
def test_three_media_say_the_same(
    marks: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.chdir(tmp_path)
    folders = [marked_run(tmp_path / "runs", of_run, prompt=f"p{n}@1").path for n, of_run in enumerate(marks)]
    world = World(tmp_path)
    assert world.run("report", *folders, "-o", "o.md", "-o", "o.html") == 0
    capsys.readouterr()
    assert world.run("report", *folders) == 0
    screen = capsys.readouterr().out
    sentence = next(line for line in screen.splitlines() if "p1@1" in line and "p0@1" in line and " · " not in line)
    text = Path("o.md").read_text("utf-8").replace("<!-- -->", "")
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    html = words(Path("o.html").read_text("utf-8"))
    assert f"<p><strong>{escape(sentence)}</strong></p>" in markdown
    assert html.count(sentence) == 1
    numbers = next((line for line in screen.splitlines() if re.match(r"p0@1 +p1@1 ", line)), None)
    assert (numbers is None) == (marks == PAIRS["nothing scored"])
    for cell in re.split(r"  +", numbers.strip()) if numbers else ():
        assert f">{escape(cell)}</td>" in markdown
        assert cell in html
