"""`sqlassay datasets`."""

from __future__ import annotations

from typing import Annotated

import typer

from evaluation.cli import output
from evaluation.cli.options import Databases, IdsByPosition, Json
from sqlassay.counted import counted

app = typer.Typer(no_args_is_help=True, help="What can be read, and what is in it.")


@app.command("list")
def list_formats(json: Json = False) -> None:
    """List the dataset formats that can be read."""
    from evaluation.datasets.base import DATASETS

    rows = []
    for plugin in DATASETS.plugins():
        first_line, _, _ = (DATASETS.get(plugin.name).__doc__ or "").strip().partition("\n")
        rows.append((plugin.name, first_line, plugin.package))
    keys = ("format", "what", "package")
    if json:
        output.print_json([dict(zip(keys, row, strict=True)) for row in rows])
    else:
        output.data().print(output.table(keys, rows))


@app.command("show")
def show(
    dataset: Annotated[str, typer.Argument(metavar="FORMAT:PATH", help="Such as spider:data/spider.")],
    databases: Databases = None,
    ids_by_position: IdsByPosition = False,
    json: Json = False,
) -> None:
    """Show what a dataset holds: questions, golds, grades, and which of its databases are there."""
    from collections import Counter
    from contextlib import suppress

    from database_backends.base import BACKENDS
    from evaluation.datasets.digest import dataset_digest
    from evaluation.datasets.opening import open_dataset
    from sqlassay.errors import UserError

    opened = open_dataset(dataset, databases=databases, ids="position" if ids_by_position else "field")
    questions: Counter[str] = Counter()
    grades: Counter[str] = Counter()
    turns: Counter[str] = Counter()
    without_gold = 0
    for question in opened.questions():
        questions[question.db_id] += 1
        grades[question.difficulty or "not graded"] += 1
        if question.conversation is not None:
            turns[question.conversation] += 1
        without_gold += not (question.gold or question.gold_by_dialect or question.gold_results)
    engines = []
    for name in BACKENDS.names():
        with suppress(UserError):  # its driver is not installed: then it finds nothing here
            engines.append(BACKENDS.get(name))
    rows = [
        (db_id, count, ", ".join(e.name for e in engines if opened.database(db_id, e.file_suffixes)) or "missing")
        for db_id, count in sorted(questions.items())
    ]
    if json:
        output.print_json(
            {
                "dataset": dataset,
                "file": str(opened.question_file),
                "sha256": dataset_digest(opened),
                "questions": questions.total(),
                "without_gold": without_gold,
                "difficulty": dict(grades),
                "conversations": len(turns),
                "databases": [dict(zip(("db_id", "questions", "engines"), row, strict=True)) for row in rows],
            }
        )
        return
    screen = output.data()
    screen.print(f"{opened.question_file}: {counted(questions.total(), 'question')}, {without_gold:,} without gold")
    if turns:
        longest = counted(max(turns.values()), "turn")
        screen.print(f"{counted(len(turns), 'conversation')}, the longest of {longest}")
    screen.print("difficulty: " + ", ".join(f"{grade} {count:,}" for grade, count in grades.items()))
    screen.print(output.table(("database", "questions", "found for"), rows))
