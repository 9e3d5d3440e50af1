"""`sqlassay prompts render`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import Backend, Databases, IdsByPosition, Json, PromptFolders
from evaluation.cli.prompts.question import DatasetOf, ExperimentOf, ModelOf, QuestionId
from sqlassay.counted import counted, some
from sqlassay.errors import ExitCode, UserError

if TYPE_CHECKING:
    from evaluation.preview import Preview, Room

_NAMED = 10
"""Tables and columns that are named among those that are left out."""


def render(
    ref: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(
            metavar="[PROMPT]",
            help="NAME, NAME@VERSION, or a YAML file; with --experiment its only one unless given.",
        ),
    ] = None,
    dataset: DatasetOf = None,
    experiment: ExperimentOf = None,
    question: QuestionId = None,
    databases: Databases = None,
    backend: Backend = "sqlite",
    ids_by_position: IdsByPosition = False,
    folder: PromptFolders = None,
    model: ModelOf = None,
    chat_format: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--chat-format",
            metavar="NAME",
            help="The one text that the messages become in a chat format: phi3, llama2, llama3, chatml or mistral.",
        ),
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Nothing but the contents of the messages, byte for byte.")
    ] = False,
    json: Json = False,
) -> int:
    """Show exactly what a model would be sent for a question, and whether it fits.

    With its tokens, and the room that the model has. Nothing is sent: at most, the model's provider is asked how much
    room it has. Exits with 1 when the prompt does not fit.

    Example: `sqlassay prompts render zero_shot --dataset bird:data/bird/dev --id 17 --model openai:gpt-4o-mini`
    """
    from evaluation.cli.prompts.question import Asking

    if raw and json:
        raise UserError("--raw and --json are two kinds of output", remedy="leave one out")
    asking = Asking(dataset, experiment, question, databases, backend, ids_by_position, model, tuple(folder or ()))
    previews = asking.previews(ref)
    told = [_told(one, chat_format) for one in previews]
    if json:
        output.print_json(told)
    elif raw:
        _write_raw(told)
    else:
        for entry in told:
            _show(entry)
    return ExitCode.UNUSABLE if any(entry["fits"] is False for entry in told) else ExitCode.OK


def _told(preview: Preview, chat_format: str | None) -> dict[str, Any]:
    text = preview.text(chat_format)
    messages = [(message, preview.count(message.content)) for message in preview.prompt.messages]
    counts = [count for _, count in messages] if text is None else [preview.count(text)]
    tokens, most, room = sum(count.tokens for count in counts), preview.max_tokens, _room(preview)
    return {
        "prompt": preview.template.ref,
        "template_sha256": preview.template.sha256,
        "released": preview.template.released,
        "sha256": preview.prompt.sha256,
        "question_id": preview.question.id,
        "db_id": preview.question.db_id,
        "history": None if preview.question.history is None else asdict(preview.question.history.record),
        "model": preview.adapter.model or None,
        "messages": [
            {"role": message.role, "content": message.content, "tokens": count.tokens} for message, count in messages
        ],
        "text": text,
        "stop": preview.stop(chat_format),
        "schema_left_out": list(preview.prompt.schema_left_out),
        "linked_by": None if preview.template.linker is None else preview.template.linker.ref,
        "tokens": tokens,
        "exact": all(count.exact for count in counts),
        "counted_by": counts[0].counted_by,
        "max_tokens": most or None,
        "context_length": room.tokens,
        "context_length_from": room.source or None,
        "fits": None if room.tokens is None else tokens + most <= room.tokens,
    }


def _room(preview: Preview) -> Room:
    import asyncio

    from evaluation.catalogue import Catalogue
    from evaluation.cli.caching import shared_store

    store = None if preview.adapter.offline else shared_store(wanted=True)
    try:
        return asyncio.run(preview.room(Catalogue(store)))
    finally:
        if store is not None:
            store.close()


def _write_raw(told: list[dict[str, Any]]) -> None:
    from evaluation.cli.prompts import text

    if len(told) > 1:
        raise UserError("several prompts would be sent", remedy="--json tells them apart")
    (entry,) = told
    whole = entry["text"]
    text.write_raw("".join(message["content"] for message in entry["messages"]) if whole is None else whole)


def _show(entry: dict[str, Any]) -> None:
    from evaluation.cli.prompts import text
    from sqlassay.messages import Message

    about = "" if entry["exact"] else "≈ "
    state = "" if entry["released"] else ", unreleased"
    text.write(
        f"prompt    {entry['prompt']}{state}, sha256 {entry['template_sha256']}\n"
        f"question  {entry['question_id']} of {entry['db_id']}\n{_history(entry['history'])}"
        f"rendered  sha256 {entry['sha256']}\n"
    )
    if entry["linked_by"] is not None:
        text.write(f"schema    whole; a run shows what {entry['linked_by']}, which is asked first, says is needed\n")
    if entry["schema_left_out"]:
        text.write(f"left out  {some(entry['schema_left_out'], _NAMED)}, for want of space\n")
    if entry["text"] is None:
        messages = [Message(one["role"], one["content"]) for one in entry["messages"]]
        headings = [f"{one['role']}, {about}{counted(one['tokens'], 'token')}" for one in entry["messages"]]
    else:
        messages, headings = [Message("user", entry["text"])], ["one text"]
    text.write(text.of_messages(messages, headings))
    text.write(f"{'':─<72}\n{about}{counted(entry['tokens'], 'token')}, counted by {entry['counted_by']}\n")
    text.write(f"{_fit(entry)}\n")


def _history(told: dict[str, Any] | None) -> str:
    """What is shown of the turns before; answers that nobody has given yet cannot be."""
    if told is None:
        return ""
    whose = "golds" if told["by"] == "gold" else "golds in the place of own answers"
    left_out = f", {told['left_out']} left out" if told["left_out"] else ""
    return f"history   {counted(told['shown'], 'turn')}, with {whose}{left_out}\n"


def _fit(entry: dict[str, Any]) -> str:
    model, room = entry["model"], entry["context_length"]
    if model is None:
        return "no --model is given: the room for it is unknown"
    if room is None:
        return f"the context limit of {model} is unknown"
    answer = f" with an answer of {entry['max_tokens']:,}" if entry["max_tokens"] else ""
    word = "fits" if entry["fits"] else "DOES NOT FIT"
    source = entry["context_length_from"]
    says = "" if source in ("setting", "provider") else f", says the table of {source}"
    return f"{word}{answer}: {model} has room for {counted(room, 'token')}, prompt and answer together{says}"
