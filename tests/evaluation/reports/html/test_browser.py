"""The page in a real browser: what a reader sees, types and presses, and what hostile data cannot do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from evaluation.run_log import RunFolder
from tests.evaluation.reports.html.pages import answered, item, page, run, verdict

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WRONG = {1: "wrong_rows", 4: "empty", 7: "syntax"}
BIRD = "execution_match:bird"
READY = "html[data-ready]"


class Reader:
    """Somebody who looks at a page; what the browser complains of, and what it asks a network for, is remembered."""

    def __init__(self, browser: Browser, **settings: Any) -> None:
        self.context = browser.new_context(**settings)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.context.on("request", lambda request: self.requests.append(request.url))

    def open(self, path: Path, fragment: str = "") -> Page:
        """Go there and wait until the table can be used."""
        self.page.goto(path.as_uri() + fragment)
        self.page.wait_for_selector(READY)
        return self.page

    @property
    def ids(self) -> list[str]:
        """The questions that the table shows."""
        return self.page.locator("#rows .open").all_inner_texts()

    @property
    def focused(self) -> str:
        """The text of what has the focus."""
        return str(self.page.evaluate("document.activeElement.textContent"))


@pytest.fixture
def reader(browser: Browser) -> Iterator[Reader]:
    with reading(browser) as reader:
        yield reader
    assert not reader.complaints
    assert all(url.startswith(("file:", "blob:")) for url in reader.requests)


@contextmanager
def reading(browser: Browser, **settings: Any) -> Iterator[Reader]:
    reader = Reader(browser, **settings)
    yield reader
    reader.context.close()


def both(number: int, reason: str = "match") -> dict[str, Any]:
    """An item that two strategies judged; they part over every tenth."""
    found = [verdict(reason), verdict("wrong_order" if number % 10 == 0 else reason, BIRD)]
    return item(number, reason, verdicts=found, answer=answered(text=f"So:\n{number}"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[RunFolder]:
    folder = tmp_path_factory.mktemp("runs")
    labels = ("execution_match", BIRD)
    one = [both(n, WRONG.get(n, "match")) for n in range(120)]
    two = [both(n, "match" if n == 4 else "missing_rows" if n in (1, 9) else "match") for n in range(120)]
    evidence = {
        "missing": [["x<b>", None], ["y", 1.5]],
        "missing_rows": 7,
        "gold_columns": ["name", "n"],
        "gold_rows": 9,
    }
    one[1]["verdicts"][0]["evidence"] = {**evidence, "predicted_rows": 2, "extra": [["z", 2]], "extra_rows": 1}
    return [run(folder, one, name="one", strategies=labels), run(folder, two, name="two", strategies=labels)]


@pytest.fixture(scope="module")
def single(runs: list[RunFolder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page(tmp_path_factory.mktemp("single"), runs[0])


@pytest.fixture(scope="module")
def double(runs: list[RunFolder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page(tmp_path_factory.mktemp("double"), *runs)


def test_the_table_has_a_page_of_questions_in_their_order(reader: Reader, single: Path) -> None:
    shown = reader.open(single)
    assert reader.ids == [f"q{n}" for n in range(50)]
    assert shown.inner_text("#count") == "120 questions"
    shown.click("text=Next page >> nth=0")
    assert reader.ids == [f"q{n}" for n in range(50, 100)]
    assert shown.is_disabled("[data-turn=on] >> nth=1") is False
    shown.click("[data-turn=on] >> nth=1")
    assert reader.ids == [f"q{n}" for n in range(100, 120)]
    assert shown.is_disabled("[data-turn=on] >> nth=0")


@pytest.mark.parametrize(
    ("choose", "ids"),
    [
        (lambda page: page.fill("input[type=search]", "sold 77 KIND"), ["q77"]),
        (lambda page: page.fill("input[type=search]", "Q11"), ["q11", *(f"q{n}" for n in range(110, 120))]),
        (lambda page: page.select_option("label:has-text('Status') select", "incorrect"), ["q1", "q4", "q7"]),
        (lambda page: page.select_option("label:has-text('Reason') select", label="empty"), ["q4"]),
        (lambda page: page.check("label:has-text('strategies disagree') input"), [f"q{n}" for n in range(0, 120, 10)]),
        (lambda page: page.fill("input[type=search]", "nothing of the kind"), []),
    ],
)
def test_the_filters(reader: Reader, single: Path, choose: Callable[[Page], None], ids: list[str]) -> None:
    shown = reader.open(single)
    choose(shown)
    assert reader.ids == ids
    assert shown.inner_text("#count") == f"{len(ids)} of 120 questions"
    assert shown.get_attribute("#count", "aria-live") == "polite"
    again = shown.url
    assert "#questions?" in again
    with_link = reader.ids
    shown.goto("about:blank")
    shown.goto(again)
    shown.wait_for_selector(READY)
    assert reader.ids == with_link
    shown.click("text=Clear")
    assert len(reader.ids) == 50
    assert shown.url.endswith("#questions")


def test_filters_hold_together_and_strategies_have_verdicts_of_their_own(reader: Reader, single: Path) -> None:
    shown = reader.open(single)
    shown.select_option("label:has-text('Strategy') select", label=BIRD)
    shown.select_option("label:has-text('Status') select", "incorrect")
    shown.select_option("label:has-text('Database') select", label="zoo")
    assert reader.ids == ["q0", "q30", "q60", "q90"]
    shown.select_option("label:has-text('Difficulty') select", label="hard")
    assert reader.ids == []


def test_sorting(reader: Reader, single: Path) -> None:
    shown = reader.open(single)
    head = "th:has([data-sort=id])"
    shown.click("[data-sort=id]")
    assert shown.get_attribute(head, "aria-sort") == "ascending"
    assert reader.ids[:12] == [f"q{n}" for n in range(12)]  # numbers by size
    shown.click("[data-sort=id]")
    assert shown.get_attribute(head, "aria-sort") == "descending"
    assert reader.ids[:2] == ["q119", "q118"]
    shown.click("[data-sort=a]")
    shown.click("[data-sort=a]")
    assert set(reader.ids[:3]) == {"q1", "q4", "q7"}


def test_flips_of_two_runs(reader: Reader, double: Path) -> None:
    shown = reader.open(double)
    assert "no difference shown between two and one" in shown.inner_text("#summary")
    flips = "label:has-text('Flips') select"
    shown.select_option(flips, "any")
    assert reader.ids == ["q4", "q7", "q9"]
    shown.select_option(flips, "won")
    assert reader.ids == ["q4", "q7"]
    shown.select_option(flips, "lost")
    assert reader.ids == ["q9"]
    shown.select_option("label:has-text('Beside') select", "")
    assert shown.is_disabled(flips)
    assert len(reader.ids) == 50


def test_a_question_opens_with_its_statements_side_by_side(reader: Reader, double: Path) -> None:
    shown = reader.open(double, "#questions?item=q1")
    shown.wait_for_selector("dialog[open]")
    assert shown.inner_text("dialog h2") == "q1"
    assert shown.locator("dialog .pair >> nth=0 >> pre").all_inner_texts() == [
        "SELECT count(*) FROM things WHERE kind = 1 AND sold",
        "SELECT count(*) FROM things WHERE kind = 1",
    ]
    assert shown.locator("mark.left").all_inner_texts() == ["AND sold"]
    assert shown.locator("mark.right").count() == 0
    shown.check("text=A and B")
    assert shown.locator("mark").count() == 0
    text = shown.inner_text("dialog")
    for words in (
        "The two say the same",
        "only in the gold: 7 rows, 2 of 7 here",
        "only in the answer: 1 row",
        "rows of the gold: 9",
        "tokens in: 900",
        "answered in: 500 ms",
        "cost: 0.001",
    ):
        assert words in text
    table = shown.locator(".only-gold >> nth=0")
    assert table.locator("th").all_inner_texts() == ["name", "n"]
    assert table.locator("td").all_inner_texts() == ["x<b>", "NULL", "y", "1.5"]


@pytest.mark.parametrize(
    ("one", "other", "left", "right"),
    [
        ("SELECT a FROM t", "select A from T;", [], []),
        ("SELECT 'a' FROM t", "SELECT 'A' FROM t", ["'a'"], ["'A'"]),
        ("SELECT a, b FROM t WHERE x >= 10", "SELECT b FROM t WHERE x > 10", ["a,", ">="], [">"]),
        ("SELECT a", "SELECT b FROM t", ["a"], ["b FROM t"]),
        ("SELECT 1", "SELECT 1 ,2", [], [",2"]),
    ],
)
def test_the_words_that_differ_are_marked(
    reader: Reader, tmp_path: Path, one: str, other: str, left: list[str], right: list[str]
) -> None:
    made = item(0, "wrong_rows", sql=other, golds=[{"sql": one, "rows": 1}])
    shown = reader.open(page(tmp_path, run(tmp_path, [made])), "#questions?item=q0")
    shown.wait_for_selector("dialog[open]")
    assert shown.locator("mark.left").evaluate_all("all => all.map(one => one.textContent)") == left
    assert shown.locator("mark.right").evaluate_all("all => all.map(one => one.textContent)") == right


def test_by_the_keyboard_alone(reader: Reader, single: Path) -> None:
    shown = reader.open(single)
    shown.keyboard.press("Tab")
    assert reader.focused == "Skip to the results"
    shown.keyboard.press("Enter")
    assert shown.evaluate("document.activeElement.id") == "main"
    for _ in range(60):
        shown.keyboard.press("Tab")
        if shown.evaluate("document.activeElement.matches('#rows .open')"):
            break
    assert reader.focused == "q0"
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert shown.evaluate(outline) == "solid"
    for key, told in (
        ("ArrowDown", "q1"),
        ("ArrowDown", "q2"),
        ("ArrowUp", "q1"),
        ("End", "q49"),
        ("Home", "q0"),
        ("PageDown", "q50"),
    ):
        shown.keyboard.press(key)
        assert reader.focused == told
    shown.keyboard.press("ArrowDown")
    shown.keyboard.press("Enter")
    shown.wait_for_selector("dialog[open]")
    assert "item=q51" in shown.url
    shown.keyboard.press("ArrowRight")
    shown.wait_for_selector("dialog h2:has-text('q52')")
    shown.keyboard.press("ArrowLeft")
    shown.wait_for_selector("dialog h2:has-text('q51')")
    shown.keyboard.press("ArrowLeft")
    shown.keyboard.press("ArrowLeft")
    shown.wait_for_selector("dialog h2:has-text('q49')")
    shown.keyboard.press("Escape")
    shown.wait_for_selector("dialog", state="hidden")
    shown.wait_for_selector("#rows .open:focus:text-is('q49')")  # on its own page of the table
    assert "item" not in shown.url
    shown.keyboard.press("Tab")
    assert reader.focused == "Next page"


def test_back_closes_the_question(reader: Reader, single: Path) -> None:
    shown = reader.open(single)
    shown.click("text=q3 >> nth=0")
    shown.wait_for_selector("dialog[open]")
    shown.go_back()
    shown.wait_for_selector("dialog", state="hidden")


def test_ten_thousand_questions_of_two_runs(reader: Reader, tmp_path: Path) -> None:
    made = [
        run(tmp_path, [item(n, "wrong_rows" if n % seven == 0 else "match") for n in range(10_000)], name=name)
        for name, seven in (("one", 7), ("two", 11))
    ]
    path = page(tmp_path, *made)
    assert path.stat().st_size < 15_000_000
    shown = reader.open(path)
    assert shown.inner_text("#count") == "10,000 questions"
    assert shown.evaluate("document.querySelectorAll('*').length") < 3_000
    shown.fill("input[type=search]", "9999")
    assert reader.ids == ["q9999"]
    shown.click("text=Clear")
    shown.select_option("label:has-text('Flips') select", "any")
    flips = sum((n % 7 == 0) != (n % 11 == 0) for n in range(10_000))
    assert shown.inner_text("#count") == f"{flips:,} of 10,000 questions"
    shown.click("[data-sort=question]")
    shown.click("#rows .open >> nth=0")
    shown.wait_for_selector("dialog[open]")
    assert shown.evaluate("document.querySelectorAll('*').length") < 3_500


PAYLOADS = (
    "<script>alert('ran')</script>",
    "</script><script>alert('ran')</script>",
    "<img src=x onerror=alert('ran')>",
    '"><svg onload=alert(1)>',
    "' onfocus=alert(1) autofocus x='",
    "<!--<script>",
    "\u2028alert('ran')\u2029",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert('ran')",
    "<link rel=stylesheet href=http://127.0.0.1:9/x><img src=//127.0.0.1:9/y>",
    "</style><style>@import 'http://127.0.0.1:9/z'</style>",
    "__proto__",
    "\x00\x1b[31m\u202egnp.exe",
    "]]>&lt;b&gt;",
)


def hostile(number: int, payload: str) -> dict[str, Any]:
    """An item with the payload wherever a text may stand."""
    told = {
        payload: payload,
        "why": [payload, {payload: payload}],
        "missing": [[payload, {payload: 1}]],
        "extra": [payload],
    }
    told |= {"gold_columns": [payload, payload], "predicted_columns": [payload], "judges": {payload: payload}}
    ran = {"sql": payload, "failure": payload, "message": payload, "source": payload}
    attempt = {"error": payload, "message": payload, "waited": 1}
    answer = answered(text=payload * 2, model=payload, prompt=payload, finish_reason=payload, attempts=[attempt])
    call = {"role": payload, "model": payload, "why": payload, "sql": payload, "answer": answer}
    return item(
        number,
        id=f"{number}{payload}",
        db_id=payload,
        question=payload,
        difficulty=payload,
        evidence=payload,
        tags=[payload],
        conversation=payload,
        turn=1,
        turns=2,
        history={"by": payload, "shown": 1},
        extraction=payload,
        sql=f"{number} {payload}",
        golds=[ran, {**ran, "sql": f"{payload} 2"}],
        predicted=ran,
        verdicts=[verdict("wrong_rows", "execution_match", **told), verdict("match", payload, **told)],
        first={"sql": payload, "predicted": ran, "verdicts": [verdict("syntax", payload)]},
        answer=answer,
        answered_by=payload,
        route={"route": payload, "decided_by": payload},
        note=payload,
        calls=[call],
        judging=[call],
    )


def test_hostile_data_does_nothing(browser: Browser, tmp_path: Path) -> None:
    everything = "".join(PAYLOADS)
    items = [hostile(number, payload) for number, payload in enumerate((*PAYLOADS, everything))]
    made = []
    for name in ("one", "two"):
        folder = run(tmp_path, items, name=name, strategies=("execution_match", *PAYLOADS), status=everything)
        for key in ("title", "model_label", "started", "run_id"):
            folder.manifest[key] = f"{name}{everything}"
        folder.manifest["experiment"]["name"] = everything
        folder.manifest["identity"]["prompt"] = {"ref": everything + name}
        folder.manifest["identity"]["backend"] = {"name": everything, "engine": everything}
        made.append(folder)
    path = page(tmp_path, *made)
    with reading(browser) as reader:
        shown = reader.open(path)
        scripts = shown.locator("script:not([type])").count()
        for number in range(len(items)):
            shown.click(f"#rows .open >> nth={number}")
            shown.wait_for_selector("dialog[open]")
            for choice in shown.locator("dialog input[type=radio]").all():
                choice.check()
            shown.keyboard.press("Escape")
            shown.wait_for_selector("dialog", state="hidden")
        for payload in PAYLOADS:
            shown.fill("input[type=search]", payload)
        for select in shown.locator(".filters select").all():
            for option in range(select.locator("option").count()):
                if select.is_enabled():
                    select.select_option(index=option)
        address = (
            path.as_uri()
            + "#questions?"
            + "&".join(f"{key}={everything.replace('&', '')}" for key in ("q", "item", "sort", "db", "page", "a"))
        )
        shown.goto("about:blank")
        shown.goto(address)
        shown.wait_for_selector(READY)
        assert scripts == 1
        assert shown.locator("img, link, iframe, object, embed, [onerror], [onload], [onfocus], [style]").count() == 0
        assert shown.locator("style").count() == 1
        assert not reader.complaints
        assert all(url.startswith(("file:", "blob:")) for url in reader.requests)


def test_the_policy_forbids_what_is_not_ours(browser: Browser, single: Path) -> None:
    with reading(browser) as reader:
        shown = reader.open(single)
        shown.evaluate(
            """() => {
            const script = document.createElement('script'), image = document.createElement('img');
            script.textContent = 'document.title = "ran"';
            image.src = 'http://127.0.0.1:9/x';
            document.body.append(script, image);
            }"""
        )
        shown.wait_for_timeout(200)
        assert shown.title() == "trial – sqlassay report"
        assert len([one for one in reader.complaints if "Content Security Policy" in one]) == 2


def test_without_a_script_the_numbers_are_there_and_the_page_says_what_is_missing(
    browser: Browser, double: Path
) -> None:
    with reading(browser, java_script_enabled=False) as reader:
        reader.page.goto(double.as_uri())
        text = reader.page.inner_text("main")
        assert "97.5 %" in text
        assert "this page needs JavaScript" in text
        assert reader.page.locator("#reasons svg").count() > 3
        assert not reader.page.is_visible("#app")


NAMES = [
    f"a model with a rather long name, number {number} of fourteen (and_one_word_without_any_break)"
    for number in range(14)
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_sticks_out_or_overlaps(browser: Browser, tmp_path: Path, width: int, scheme: Any) -> None:
    """With fourteen long names, on a telephone and on a desk."""
    reasons = ("match", "wrong_rows")
    made = [
        run(
            tmp_path,
            [item(n, reasons[(n * number) % 5 == 1], answer=answered(0.001 * 3**number)) for n in range(8)],
            name=name,
        )
        for number, name in enumerate(NAMES)
    ]
    with reading(browser, viewport={"width": width, "height": 800}, color_scheme=scheme) as reader:
        shown = reader.open(page(tmp_path, *made))
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        labels = "all => all.map(one => { const box = one.getBoundingClientRect(); return [box.left, box.right]; })"
        for axis in shown.locator("svg.axis").all():
            boxes = axis.locator("text").evaluate_all(labels)
            assert all(one[1] <= other[0] for one, other in pairwise(boxes)), axis.text_content()
        ground = shown.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", ground))) > 380) == (scheme == "light")
        shown.click("#rows .open >> nth=0")
        shown.wait_for_selector("dialog[open]")
        assert shown.evaluate(
            "document.querySelector('.pane').scrollWidth <= document.querySelector('.pane').clientWidth"
        )
        assert not reader.complaints


def test_a_damaged_file_says_so(reader: Reader, tmp_path: Path, single: Path) -> None:
    path = tmp_path / "damaged.html"
    path.write_text(re.sub(r'(id="columns">.{40}).*?<', r"\1<", single.read_text("utf-8"), count=1))
    reader.page.goto(path.as_uri())
    reader.page.wait_for_selector("#loading.warning")
    assert "cannot be shown" in reader.page.inner_text("#loading")


def test_printed_the_summary_is_there_and_the_controls_are_not(reader: Reader, single: Path) -> None:
    shown = reader.open(single)
    shown.emulate_media(media="print", color_scheme="dark")
    assert shown.is_visible("#summary")
    assert not shown.is_visible(".filters")
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
