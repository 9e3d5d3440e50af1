"""The page: numbers and plots that need no script, then the questions, which a script shows."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from evaluation.reports.base import Report
from evaluation.reports.measures import between, chance, percent, signed
from evaluation.run_log import RunFolder

if TYPE_CHECKING:
    import jinja2

    from evaluation.reports.html.run import Cut, Score, ShownRun


class HtmlReport(Report):
    """One self-contained HTML file: summary, plots, and every question with its SQL and what differs."""

    name: ClassVar[str] = "html"
    suffixes: ClassVar[tuple[str, ...]] = (".html", ".htm")

    def write(self, runs: Sequence[RunFolder], path: Path) -> None:
        """Make the page; the same runs make the same bytes.

        Args:
            runs: What it is about.
            path: The file.

        Raises:
            UserError: A record cannot be read.
            OSError: The file cannot be written.
        """
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(_page(runs))


class Slicing(NamedTuple):
    """The runs by one thing.

    Attributes:
        key: What by: one of the keys of `--by`.
        rows: The name of each slice, and what each run has of it.
    """

    key: str
    rows: list[tuple[str, list[Cut | None]]]

    @property
    def ends(self) -> list[float]:
        """What an axis must hold."""
        return _ends(cut for _, cuts in self.rows for cut in cuts if cut is not None)

    @property
    def tells(self) -> bool:
        """Whether any run has scores in several slices."""
        of_runs = zip(*(cuts for _, cuts in self.rows), strict=True)
        return any(sum(cut is not None and cut.value is not None for cut in cuts) > 1 for cuts in of_runs)


def _page(folders: Sequence[RunFolder]) -> list[str]:
    from evaluation.compare.comparison import compare
    from evaluation.compare.notes import notes_of_all
    from evaluation.compare.screen import basis
    from evaluation.compare.sentence import sentence
    from evaluation.reports import console
    from evaluation.reports.html import plots
    from evaluation.reports.html.items import Items
    from evaluation.reports.html.run import shown_runs
    from evaluation.verdicts import Reason, Status

    runs = shown_runs(folders)
    strategy = _main_strategy(runs)
    items = Items(len(runs))
    for run in runs:
        for record in run.folder.items():
            run.add(record, strategy)
            items.add(run.number, record)
    points = [point for run in runs if (point := run.point(strategy)) is not None]
    compared = compare(folders) if len(folders) > 1 else []
    css, script = _asset("report.css"), _asset("report.js")
    template = _environment().get_template("page.html.j2")
    return list(
        template.generate(
            title=", ".join(dict.fromkeys(str(folder.manifest["experiment"].get("name", "")) for folder in folders)),
            runs=runs,
            strategy=strategy,
            strategies=list(dict.fromkeys(label for run in runs for label in run.summary.strategies)),
            score_ends=_ends(score for run in runs for score in run.scores),
            slicings=[made for key in _keys() if len(items) > 1 and (made := _slicing(runs, key)).tells],
            compared=compared,
            sentence=sentence,
            comparison_notes=notes_of_all(compared),
            basis=basis,
            notes=console.notes,
            plots=plots,
            cost=plots.CostPlot.of(points),
            costless=[run for run in runs if run.number not in {point.run for point in points}],
            reasons={status: [reason for reason in Reason if reason.status is status] for status in Status},
            questions=len(items),
            columns=items.columns([{"letter": run.letter, "name": run.name} for run in runs]),
            parts=items.parts(),
            css=css,
            script=script,
            policy=_policy(css, script),
        )
    )


def _keys() -> Sequence[str]:
    from evaluation.reports.slices import KEYS

    return tuple(KEYS)


def _ends(scores: Iterable[Score | Cut]) -> list[float]:
    """Every score that there is, and the ends of its interval."""
    return [end for one in scores if one.value is not None for end in (one.value, *(one.interval or ()))]


def _main_strategy(runs: Sequence[ShownRun]) -> str:
    """The strategy whose verdicts the plots and comparisons are about: the first of the first run."""
    for run in runs:
        declared = [str(one["label"]) for one in run.folder.manifest["identity"].get("strategies", ())]
        if found := [*declared, *run.summary.strategies]:
            return found[0]
    return ""


def _slicing(runs: Sequence[ShownRun], key: str) -> Slicing:
    cuts = [run.cuts(key) for run in runs]
    names = dict.fromkeys(name for of_run in cuts for name in of_run)
    return Slicing(key, [(name, [of_run.get(name) for of_run in cuts]) for name in names])


def _environment() -> jinja2.Environment:
    import jinja2

    from evaluation.reports.html import plots
    from sqlassay.printable import printable

    def shown(value: object) -> object:
        return printable(value) if type(value) is str else value

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_asset),
        autoescape=True,
        finalize=shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, interval=between, points=signed, chance=chance, duration=plots.duration)
    return environment


def _asset(name: str) -> str:
    return (files(__package__) / name).read_text("utf-8")


def _policy(css: str, script: str) -> str:
    """What the browser is told to refuse: everything but this style and this script, so every request too."""
    style, code = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii") for text in (css, script))
    allowed = f"style-src 'sha256-{style}'; script-src 'sha256-{code}'"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
