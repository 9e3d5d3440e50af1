"""A small world to run experiments in: a database, questions about it, recorded answers, an experiment file."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from evaluation.cli.app import run

SQLASSAY = Path(sys.executable).with_name("sqlassay")
SETUP = (
    "CREATE TABLE singer (id INTEGER PRIMARY KEY, name TEXT, age INTEGER)",
    "INSERT INTO singer VALUES (1, 'Ann', 31), (2, 'Bob', 45), (3, 'Cleo', NULL)",
)
GOLD = "SELECT count(*) FROM singer"


@dataclass(frozen=True)
class World:
    """A folder with everything that an experiment needs.

    Attributes:
        folder: Holds `databases/show/show.sqlite` and whatever is written.
    """

    folder: Path

    @classmethod
    def build(cls, folder: Path) -> World:
        """Make the folder and its database."""
        path = folder / "databases" / "show" / "show.sqlite"
        path.parent.mkdir(parents=True)
        with closing(sqlite3.connect(path)) as connection:
            for statement in SETUP:
                connection.execute(statement)
            connection.commit()
        return cls(folder)

    @property
    def database(self) -> Path:
        """The database."""
        return self.folder / "databases" / "show" / "show.sqlite"

    @property
    def runs(self) -> Path:
        """Where the experiment's runs go."""
        return self.folder / "runs"

    def questions(self, questions: Iterable[Mapping[str, object]] | int) -> Path:
        """Write questions; a number of them is as good as the questions themselves."""
        if isinstance(questions, int):
            questions = ({"id": f"q{number}"} for number in range(questions))
        path = self.folder / "questions.jsonl"
        lines = [
            json.dumps({"question": f"Question {q['id']}?", "db_id": "show", "gold": GOLD, **q}) for q in questions
        ]
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def answers(self, answers: Mapping[str, str | Mapping[str, object]]) -> Path:
        """Write recorded answers by question id."""
        path = self.folder / "answers.jsonl"
        lines = []
        for question_id, answer in answers.items():
            fields = {"answer": answer} if isinstance(answer, str) else answer
            lines.append(json.dumps({"question_id": question_id, **fields}))
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def experiment(self, name: str = "trial", **changes: object) -> Path:
        """Write an experiment with the replay adapter; `changes` replace its top-level keys, `None` leaves one out."""
        content: dict[str, object] = {
            "name": name,
            "dataset": {"format": "jsonl", "path": "questions.jsonl"},
            "models": [{"adapter": "replay", "model": "tape", "settings": {"path": "answers.jsonl"}}],
            "output": {"runs": str(self.runs)},
            "workers": 1,
            **changes,
        }
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump({k: v for k, v in content.items() if v is not None}, sort_keys=False))
        return path

    def run(self, *arguments: str | Path) -> int:
        """Run `sqlassay` in this process, which is quicker; gives the exit code."""
        return int(run(list(map(str, arguments))))

    def command(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run `sqlassay` in a process of its own, in this folder."""
        return subprocess.run(
            [SQLASSAY, *map(str, arguments)], cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )

    def start(self, *arguments: str | Path, **more: Any) -> subprocess.Popen[str]:
        """Start `sqlassay` in a session of its own, as a terminal would."""
        return subprocess.Popen(
            [SQLASSAY, *map(str, arguments)],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **more,
        )

    def run_folders(self) -> list[Path]:
        """The runs there are, in the order of their ids."""
        return sorted(path.parent for path in self.runs.glob("*/manifest.json"))


def items_of(run: Path) -> list[dict[str, Any]]:
    """The complete lines of a run's record, replaced ones included."""
    path = run / "items.jsonl"
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]


def model_at(base_url: str, model: str = "good", **more: object) -> dict[str, object]:
    """The section of a model that the provider on the loopback interface plays."""
    return {"adapter": "openai", "model": model, "settings": {"base_url": base_url}, **more}


def asked(requests: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ids of the questions that a provider was asked, in order."""
    texts = ["".join(message["content"] for message in request["messages"]) for request in requests]
    return [text.partition("Question ")[2].partition("?")[0] for text in texts]
