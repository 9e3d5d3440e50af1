"""Markdown: what it says, that it fits, and that nothing that anybody wrote does anything."""

from __future__ import annotations

import re
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from evaluation.records import ItemRecord, VerdictRecord
from evaluation.reports.markdown import LIMIT, MarkdownReport
from evaluation.reports.markdown_text import clipped, code, fenced, plain
from evaluation.run_log import RunFolder
from evaluation.verdicts import Reason
from sqlassay.printable import printable
from tests.evaluation.compare.test_comparison import run as marked_run
from tests.evaluation.reports.folders import RECORDS, TEXTS, run_folder

OURS = {"h2", "h3", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "code", "pre", "blockquote",
        "details", "summary"}  # fmt: skip


class Page(HTMLParser):
    """The elements and the text of rendered Markdown."""

    def __init__(self, markdown: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[str] = []
        self.ended: list[str] = []
        self.text = ""
        self.bare: list[str] = []
        self._in_code = 0
        self.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self._in_code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self.ended.append(tag)
        self._in_code -= tag == "code"

    def handle_data(self, data: str) -> None:
        self.text += data
        if not self._in_code:
            self.bare.append(data)


def one_line(text: str) -> str:
    return " ".join(printable(text).split())


@given(TEXTS)
def test_plain_text_is_shown_and_does_nothing(text: str) -> None:
    page = Page(
        f"| a | b |\n| :-- | --: |\n| {plain(text)} | 1 |\n\n> {plain(text)}\n\n"
        f"- {plain(text)}\n\n**only {plain(text)}**"
    )
    assert page.elements.count("td") == 2
    assert set(page.elements) <= OURS
    assert one_line(page.text).count(one_line(text)) >= 3
    # A forge looks for these in one piece of text each, outside of code.
    for piece in page.bare:
        assert re.search(r"(?<!\w)@\w|(?<!\w)#\d|://|\bwww\.|:\w+:", piece) is None


@given(TEXTS)
def test_code_is_shown_as_it_is(text: str) -> None:
    page = Page(f"{code(text)} after\n\n- {code(text)}")
    assert page.elements == ["p", "code", "ul", "li", "code"]
    assert page.text.count(one_line(text)) >= 2


@given(TEXTS)
def test_a_block_ends_where_it_should(text: str) -> None:
    page = Page(f"{fenced(text, 'sql')}\n\nafter")
    assert page.elements == ["pre", "code", "p"]
    assert page.text == f"{printable(text)}\n\n\n"[: len(printable(text)) + 1] + "\nafter\n"


@settings(max_examples=40, phases=[Phase.explicit, Phase.generate])  # what fails is long to shrink, and short to read
@given(st.lists(RECORDS, min_size=1, max_size=4), TEXTS)
def test_nothing_that_anybody_wrote_is_markup(records: list[ItemRecord], label: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        runs = [run_folder(Path(folder) / name, records, model=label + name) for name in ("one", "two")]
        MarkdownReport().write(runs, path := Path(folder) / "o.md")
        text = path.read_text("utf-8")
    assert len(text.encode("utf-16-le")) // 2 <= LIMIT
    page = Page(text)
    assert set(page.elements) <= OURS
    assert page.elements.count("details") == page.ended.count("details") <= 3


def written(folder: Path, *runs: RunFolder) -> str:
    MarkdownReport().write(runs, folder / "o.md")
    return (folder / "o.md").read_text("utf-8")


def test_the_verdict_comes_first_then_the_counts(tmp_path: Path) -> None:
    one = marked_run(tmp_path / "runs", "+" * 30 + "-" * 10 + "+" * 31 + "?")
    other = marked_run(tmp_path / "runs", "-" * 30 + "+" * 10 + "+" * 32, prompt="b@1", status="interrupted")
    text = written(tmp_path, one, other)
    lines = [line for line in text.splitlines() if line]
    assert lines[:3] == [
        "<!-- sqlassay report -->",
        "## sqlassay",
        "**b@1 is worse than a@1 by 28.2 points (95 % interval 11.0 to 43.8, p = 0.002)**",
    ]
    assert "| m · a@1 · sqlite | other | 100.0 % | 94.9 – 100.0 | 72 | 72 | (0) | 0 | (0) | 0 |" in lines
    assert "|  | execution_match | 85.9 % | 76.0 – 92.2 | 71 | 61 | (0) | 10 | (0) | 1 |" in lines
    assert any(
        line.startswith("| a@1 | b@1 | -28.2 | ") and line.endswith(" | 0.002 | 31 | 30 | 10 | 0 |") for line in lines
    )
    assert "- left out: 1 unscored of a@1 (q71)" in lines
    assert "⚠️ g-02: interrupted, 72 of 72 items" in lines
    assert "| incorrect | wrong rows | · | 10 |" in lines
    assert "<summary>a@1 and b@1: 40 questions that only one has right</summary>" in lines
    assert "**only b@1 is right:** `q30` · `show` · wrong rows" in lines
    assert "Left out" not in text
    folded = text[text.index("<summary>m · b@1 · sqlite: questions that are not right") :]
    assert folded.index("`q0`") < folded.index("`q1`") < folded.index("`q29`")


@pytest.mark.parametrize("letter", ["x", "😀", "`", "<"])
@pytest.mark.parametrize("questions", [0, 3, 2000])
def test_what_has_no_room_is_counted(letter: str, questions: int, tmp_path: Path) -> None:
    verdict = VerdictRecord("execution_match", Reason.WRONG_ROWS.status, 0.0, Reason.WRONG_ROWS)
    records = [
        ItemRecord(f"q{n}", n, "shop", "How many?", sql=letter * 2_500, verdicts=(verdict,)) for n in range(questions)
    ]
    text = written(tmp_path, run_folder(tmp_path / "run", records))
    assert len(text.encode("utf-16-le")) // 2 <= LIMIT
    shown = text.count("wrong rows (execution_match)")
    if questions == 2000:
        assert 5 <= shown < 30
        assert (
            f"**Left out, for want of room:** {2000 - shown:,} questions. All of it: `sqlassay report run --json"
            in text
        )
    else:
        assert shown == questions
        assert "Left out" not in text


def test_many_runs_fit_too(tmp_path: Path) -> None:
    runs = [marked_run(tmp_path / "runs", "+-", model=f"m{n}" + "y" * 300) for n in range(150)]
    text = written(tmp_path, *runs)
    assert len(text) <= LIMIT
    assert "rows of results" in text.splitlines()[-1]


def test_a_judge_is_not_shown_without_its_errors(tmp_path: Path) -> None:
    verdict = VerdictRecord("llm_judge", Reason.JUDGED_CORRECT.status, 1.0, Reason.JUDGED_CORRECT)
    run = run_folder(tmp_path / "run", [ItemRecord("q", 0, "shop", "?", verdicts=(verdict,))])
    run.manifest["identity"]["strategies"] = [
        {
            "label": "llm_judge",
            "version": "1",
            "judges": [{"name": "j", "model": {"adapter": "openai", "model": "gpt"}}],
        }
    ]
    text = written(tmp_path, run)
    assert "|  | – uncalibrated |" in text
    assert "- llm_judge: uncalibrated: how often this judge is wrong is not known" in text


def test_a_cut_says_so() -> None:
    assert clipped("x" * 1200, 200) == "x" * 200 + "… (1,000 more characters)"
