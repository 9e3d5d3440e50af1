"""What the page says without a script: of whole runs, and of runs that have little to say."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from evaluation.reports.base import REPORTS
from evaluation.reports.files import format_of, print_report
from evaluation.reports.html import HtmlReport
from evaluation.reports.html.items import PART, SHOWN_ANSWER
from evaluation.run_log import RunFolder
from tests.evaluation.reports.html.pages import answered, item, page, run, verdict
from tests.evaluation.world import World


class Page(HTMLParser):
    """A page as it is read: its text, its attributes, its scripts."""

    VOID = frozenset({"meta", "link", "input", "br"})

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.source = path.read_text("utf-8")
        self.feed(self.source)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"]:
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif self.open[-1:] == ["style"]:
            self.styles.append(data)
        elif "desc" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def data(self, number: int = 0) -> Any:
        """What is embedded: the columns, then the parts."""
        packed = [text for attrs, text in self.scripts if attrs.get("type") == "text/plain"]
        return json.loads(gzip.decompress(base64.b64decode(packed[number])))


def test_it_is_found_by_its_name_and_its_ending() -> None:
    assert REPORTS.get("html") is HtmlReport
    assert format_of(Path("report.html")) == format_of(Path("report.HTM")) == "html"


def test_the_command_writes_it(world: World) -> None:
    world.questions(3)
    world.answers({"q0": "SELECT count(*) FROM singer", "q1": "SELECT 4", "q2": "SELECT"})
    assert world.run("run", world.experiment(), "--quiet") == 0
    assert world.run("report", "--runs", world.runs, "--output", world.folder / "report.html") == 0
    page = Page(world.folder / "report.html")
    assert "33.3 %" in page.text
    assert page.data()["id"] == ["q0", "q1", "q2"]


def test_the_same_runs_make_the_same_bytes(tmp_path: Path) -> None:
    runs = [run(tmp_path, [item(n) for n in range(5)], name=name) for name in ("one", "two")]
    first = page(tmp_path, *runs).read_bytes()
    assert page(tmp_path, *runs).read_bytes() == first


def test_a_stream_gets_it_too(tmp_path: Path) -> None:
    made = run(tmp_path, [item(0)])
    with (tmp_path / "stream").open("w+b") as stream:
        print_report(HtmlReport(), [made], stream)
    assert (tmp_path / "stream").read_bytes() == page(tmp_path, made).read_bytes()


def test_nothing_is_asked_of_a_network_and_only_this_style_and_script_are_allowed(tmp_path: Path) -> None:
    made = Page(page(tmp_path, run(tmp_path, [item(0)])))
    (policy,) = (
        value for tag, name, value in made.attributes if tag == "meta" and name == "content" and "src" in str(value)
    )
    (script,) = (text for attrs, text in made.scripts if "type" not in attrs)
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (made.styles[0], script)]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digests[0]}'; script-src 'sha256-{digests[1]}';"
        " base-uri 'none'; form-action 'none'"
    )
    assert len(made.styles) == 1
    assert not [
        one for one in made.attributes if one[1] in ("src", "style", "srcset", "action") or one[1].startswith("on")
    ]
    assert all(str(value).startswith("#") for _, name, value in made.attributes if name == "href")
    assert not re.search(r"@import|url\((?!#)|https?://", made.styles[0] + script)


def test_every_reference_has_its_element(tmp_path: Path) -> None:
    made = Page(page(tmp_path, *(run(tmp_path, [item(0, answer=answered())], name=name) for name in ("one", "two"))))
    names = [value for _, name, value in made.attributes if name == "id"]
    assert len(names) == len(set(names))
    told = [str(value) for _, name, value in made.attributes if name in ("aria-labelledby", "href")]
    assert {one for value in told for one in value.replace("#", "").split()} <= {*names}


def test_a_run_without_a_question(tmp_path: Path) -> None:
    text = Page(page(tmp_path, run(tmp_path, [], total=3, status="running"))).text
    for words in (
        "no question is done",
        "Unfinished: running, 0 of 3 questions.",
        "No strategy has a verdict yet",
        "There is no question to slice.",
        "No run of this report has both a score and a known cost.",
        "Nothing was timed",
        "There are no verdicts, and so no reasons.",
        "There is no question yet.",
    ):
        assert words in text


def test_a_run_of_one_question(tmp_path: Path) -> None:
    text = Page(page(tmp_path, run(tmp_path, [item(0, answer=answered())]))).text
    assert "100.0 %" in text
    assert "20.7 – 100.0, 95 % interval; 1 of 1 scored questions correct" in text
    assert "One run with a known cost: there is nothing to weigh it against" in text
    assert "All questions are in one slice" in text


def test_a_run_that_has_nothing_scored(tmp_path: Path) -> None:
    made = run(
        tmp_path, [item(n, "provider_down", sql=None, predicted=None) for n in range(3)], total=5, status="interrupted"
    )
    text = Page(page(tmp_path, made)).text
    assert "none of 3 questions is scored by execution_match" in text
    assert "Unfinished: interrupted, 3 of 5 questions." in text
    assert "3 unscored: provider down" in text


def test_the_cost_is_left_out_where_it_is_not_known(tmp_path: Path) -> None:
    told = {
        "one": answered(0.001),
        "two": answered(None),
        "three": answered(0.002, cached=True),
        "four": answered(0.004),
    }
    marks = {"one": "match", "two": "match", "three": "match", "four": "wrong_rows"}
    runs = [
        run(tmp_path, [item(n, marks[name], answer=answer) for n in range(4)], name=name)
        for name, answer in told.items()
    ]
    text = Page(page(tmp_path, *runs)).text
    assert "Not in the plot, as the cost or the score is not known: B, C." in text
    assert "No line: the cheapest run is also the best" in text


def test_the_pareto_line_is_told_in_words(tmp_path: Path) -> None:
    cheap = run(
        tmp_path, [item(n, "wrong_rows" if n else "match", answer=answered(0.001)) for n in range(4)], name="cheap"
    )
    dear = run(tmp_path, [item(n, answer=answered(0.1)) for n in range(4)], name="dear")
    source = page(tmp_path, cheap, dear).read_text("utf-8")
    assert "A: 1 for 1,000 questions, 25.0 %. B: 100 for 1,000 questions, 100.0 %." in source
    assert "The line joins A, B: none is both cheaper and better." in source


def test_slices_are_scored_by_the_first_strategy(tmp_path: Path) -> None:
    other = verdict("match", "other")
    made = run(
        tmp_path,
        [
            item(0),
            item(1, verdicts=[verdict("wrong_rows"), other]),
            item(2),
            item(3),
            item(5, verdicts=[verdict("provider_down"), other]),
        ],
        strategies=("execution_match", "other"),
    )
    text = Page(page(tmp_path, made)).text
    assert "easy 2 easy; A 100.0 %" in text
    assert "hard 3 hard; A 50.0 %" in text
    assert "50.0 % 9.5 – 90.5 1 unscored" in text


def test_a_score_that_is_no_share_has_no_interval(tmp_path: Path) -> None:
    half = {**verdict("wrong_rows"), "score": 0.5}
    text = Page(page(tmp_path, run(tmp_path, [item(n, verdicts=[half]) for n in range(2)]))).text
    assert "50.0 % –" in text


def test_conversations_first_attempts_and_judges_have_their_lines(tmp_path: Path) -> None:
    items = [
        item(
            n,
            conversation="c",
            turn=n,
            turns=2,
            first={"sql": "SELEC", "predicted": None, "verdicts": [verdict("syntax")]},
            verdicts=[verdict(), verdict("judged_correct", "llm_judge", judges={"m": "fine"})],
        )
        for n in range(2)
    ]
    judged = {
        "label": "llm_judge",
        "name": "llm_judge",
        "version": "1",
        "judges": [{"name": "m", "model": {"model": "m"}}],
    }
    made = run(tmp_path, items, strategies=())
    made.manifest["identity"]["strategies"] = [{"label": "execution_match"}, judged]
    (made.path / "manifest.json").write_text(json.dumps(made.manifest))
    text = Page(page(tmp_path, RunFolder(made.path))).text
    assert "first attempt" in text
    assert "interactions" in text
    assert "uncalibrated" in text


def test_repeats_and_runs_of_one_title_have_names_of_their_own(tmp_path: Path) -> None:
    runs = [run(tmp_path, [item(0)], name=name, repeat=number) for number, name in enumerate(("a", "b"))]
    for made in runs:
        made.manifest["title"] = "same"
        (made.path / "manifest.json").write_text(json.dumps(made.manifest))
    names = [one["name"] for one in Page(page(tmp_path, *(RunFolder(made.path) for made in runs))).data()["runs"]]
    assert names == ["same (trial-a)", "same (trial-b)"]


def test_questions_of_several_runs_are_one_where_they_are_the_same(tmp_path: Path) -> None:
    one = run(tmp_path, [item(0), item(1), item(2)], name="one")
    other = run(tmp_path, [item(1, "wrong_rows"), item(2, question="Another?"), item(5)], name="two")
    made = Page(page(tmp_path, one, other))
    columns = made.data()
    assert columns["id"] == ["q0", "q1", "q2", "q2", "q5"]
    assert [reason for reason, _ in columns["reasons"]][:1] == ["match"]
    assert columns["verdicts"][0] == [[0, 0, -1, 0, -1]]
    assert columns["sql"][1] == [None, item(1)["sql"], item(2)["sql"], None, item(5)["sql"]]
    assert [[part is not None for part in one["runs"]] for one in made.data(1)] == [
        [True, False], [True, True], [False, True], [True, False], [False, True],
    ]  # fmt: skip


def test_details_come_in_parts(tmp_path: Path) -> None:
    made = Page(page(tmp_path, run(tmp_path, [item(n) for n in range(PART + 1)])))
    assert [len(made.data(1)), len(made.data(2))] == [PART, 1]


def test_of_a_record_what_says_something_is_kept(tmp_path: Path) -> None:
    text = "Thinking … " + "x" * SHOWN_ANSWER
    attempts = [{"error": "RateLimited", "message": "slow down", "waited": 1.5, "seconds": 0.5}]
    told = item(
        0,
        "wrong_rows",
        evidence="sold means paid",
        predicted={"sql": "", "rows": 0, "seconds": 0.25, "truncated": True},
        answer=answered(0.0, text=text, attempts=attempts),
        verdicts=[verdict("empty", missing=[[1, None]], missing_rows=7)],
    )
    (detail,) = Page(page(tmp_path, run(tmp_path, [told]))).data(1)
    assert detail["evidence"] == "sold means paid"
    ran = detail["runs"][0]
    assert ran["predicted"] == {"rows": 0, "seconds": 0.25, "truncated": True}
    assert ran["answer"]["cost"] == 0
    assert ran["answer"]["text"].endswith(f"… ({len(text):,} characters)")
    assert ran["answer"]["attempts"] == attempts
    assert ran["verdicts"] == [{"strategy": 0, "evidence": {"missing": [[1, None]], "missing_rows": 7}}]


@pytest.mark.parametrize("characters", ["\x1b[2J", "\ud800"])
def test_characters_that_are_no_text_are_spelled_out(tmp_path: Path, characters: str) -> None:
    made = run(tmp_path, [item(0, db_id=f"db{characters}"), item(1)])
    source = page(tmp_path, made).read_text("utf-8")
    assert characters.encode("utf-8", "backslashreplace").decode().replace("\x1b", "\\x1b") in source


def test_a_backend_that_is_not_installed_is_no_hindrance(tmp_path: Path) -> None:
    made = run(tmp_path, [item(0), item(1)], backend={"name": "elsewhere", "engine": "1"})
    assert "elsewhere 1" in Page(page(tmp_path, made)).text
