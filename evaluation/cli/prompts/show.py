"""`sqlassay prompts show`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import Json, PromptFolders, Runs
from sqlassay.errors import UserError

if TYPE_CHECKING:
    from evaluation.records import AnswerRecord, ItemRecord
    from evaluation.run_log import RunFolder


def show(
    ref: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(metavar="[PROMPT]", help="NAME for its newest version, NAME@VERSION, or a YAML file."),
    ] = None,
    folder: PromptFolders = None,
    run: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--run", metavar="RUN", help="Show what was sent in a run instead: an id, a group, or `latest`."),
    ] = None,
    question: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--id", metavar="ID", help="With --run: for this question."),
    ] = None,
    runs: Runs = Path("runs"),
    json: Json = False,
) -> None:
    """Show one prompt: its template, the variables that it mentions, its digest. With --run, what a model was sent.

    What was sent is read from the run, and held against the digest in the item's record.

    Example: `sqlassay prompts show --run latest --id q007`
    """
    if run is None:
        if ref is None or question is not None:
            raise UserError("no prompt is named", remedy="NAME@VERSION; or --run RUN and --id ID, for what was sent")
        _template(ref, folder or (), json=json)
        return
    if ref is not None or question is None:
        raise UserError("--run shows what was sent for one question", remedy="give --run RUN and --id ID alone")
    _recorded(run, question, runs, json=json)


def _template(ref: str, folders: Sequence[Path], *, json: bool) -> None:
    from evaluation.cli.prompts import text
    from prompts.library import load

    prompt = load(ref, folders)
    state = "released" if prompt.released else "unreleased"
    if json:
        messages = [vars(message) for message in prompt.messages]
        variables = sorted(prompt.variables)
        shown = {**vars(prompt), **text.settings(prompt), "messages": messages}
        output.print_json({**shown, "ref": prompt.ref, "variables": variables})
        return
    rows = [
        ("prompt", f"{prompt.ref}, {state}"),
        ("what", prompt.description),
        ("file", str(prompt.path)),
        ("sha256", prompt.sha256),
        ("variables", ", ".join(sorted(prompt.variables))),
    ]
    text.write("".join(f"{key:10}{value}\n" for key, value in rows) + text.of_template(prompt))


def _recorded(run: str, question: str, runs: Path, *, json: bool) -> None:
    from evaluation.cli.prompts import text
    from evaluation.runs import find_runs

    found = [(folder, item) for folder in find_runs(run, runs) for item in folder.items() if item.id == question]
    if not found:
        raise UserError(f"no item {question!r} in {run}", remedy="`sqlassay report --show` lists items")
    told = [entry for folder, item in found for entry in _sent(folder, item)]
    if json:
        for entry in told:
            entry["messages"] = entry["messages"] and [vars(message) for message in entry["messages"]]
        output.print_json(told)
        return
    if not told:
        output.talk().print(f"nothing was sent for {question!r}")
    for entry in told:
        heads = (entry["run_id"], f"{entry['role']} of {entry['model']}", entry["prompt"], f"sha256 {entry['sha256']}")
        text.write(", ".join(filter(None, heads)) + "\n")
        if entry["missing"]:
            text.write(f"{entry['missing']}\n")
            continue
        if entry["altered"]:
            text.write("altered: what is written nowhere, such as a key, has been taken out\n")
        text.write(text.of_messages(entry["messages"]))
        if entry["chat_format"] is not None:
            text.write(_as_one_text(entry))


def _as_one_text(entry: Mapping[str, Any]) -> str:
    """What the messages were to the model, and how it differs from them."""
    from evaluation.cli.prompts import text
    from sqlassay.messages import Message

    name, sha256 = entry["chat_format"], entry["sent_sha256"]
    if sha256 is None:
        return f"not sent: the chat format {name} has no place for these messages\n"
    whole = f"sent as one text in the chat format {name}, sha256 {sha256}"
    if entry["text"] is None:
        return f"{whole}, which is not shown: this version of sqlassay makes another of the messages\n"
    broken = "broken up by a space" if entry["tokens_broken_up"] else "none of them is in the messages"
    return f"{whole}; tokens of the format: {broken}\n" + text.of_messages(
        [Message("user", entry["text"])], ["one text"]
    )


def _sent(folder: RunFolder, item: ItemRecord) -> list[dict[str, Any]]:
    """Every prompt of an item, in the order of asking."""
    answers: list[tuple[str, AnswerRecord]] = [
        (call.role, call.answer) for call in item.calls if call.answer is not None
    ]
    if item.answer is not None:
        answers.append(("answer", item.answer))
    recorded = folder.prompts({answer.prompt_sha256 for _, answer in answers})
    entries = []
    for role, answer in answers:
        prompt = recorded.get(answer.prompt_sha256)
        sent = None if prompt is None else prompt.as_text(answer.chat_format, answer.sent_sha256)
        entries.append(
            {
                "run_id": folder.run_id,
                "id": item.id,
                "role": role,
                "model": answer.model,
                "prompt": answer.prompt,
                "template_sha256": answer.prompt_template_sha256,
                "sha256": answer.prompt_sha256,
                "messages": None if prompt is None else prompt.messages,
                "missing": _missing(folder, answer) if prompt is None else None,
                "altered": prompt is not None and prompt.altered,
                "chat_format": answer.chat_format,
                "sent_sha256": answer.sent_sha256,
                "text": None if sent is None else sent.text,
                "tokens_broken_up": None if sent is None else sent.broken_up,
            }
        )
    return entries


def _missing(folder: RunFolder, answer: AnswerRecord) -> str:
    """Why a prompt is not there; answers name their prompts since these are recorded."""
    if not answer.prompt:
        return "not recorded: this run was begun before prompts were"
    from evaluation.prompt_log import PROMPTS

    path = folder.path / PROMPTS
    return f"missing: {path} {'does not hold it' if path.exists() else 'is not there'} any more; restore the file"
