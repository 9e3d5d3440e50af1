"""`sqlassay prompts diff`."""

from __future__ import annotations

from typing import Annotated

import typer

from evaluation.cli.options import Backend, Databases, IdsByPosition, PromptFolders
from evaluation.cli.prompts.question import DatasetOf, ExperimentOf, ModelOf, QuestionId


def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="NAME, NAME@VERSION, or a YAML file.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The same.")],
    dataset: DatasetOf = None,
    experiment: ExperimentOf = None,
    question: QuestionId = None,
    databases: Databases = None,
    backend: Backend = "sqlite",
    ids_by_position: IdsByPosition = False,
    folder: PromptFolders = None,
    model: ModelOf = None,
) -> None:
    """Show how two prompts differ: their templates, or what a model would be sent.

    The latter with --id, for that question. Prints a unified diff; nothing where there is no difference.

    Example: `sqlassay prompts diff terse@1 terse@2 --folder prompts --dataset spider:data/spider --id 17`
    """
    from difflib import unified_diff

    from evaluation.cli.prompts import text
    from evaluation.cli.prompts.question import Asking
    from prompts.library import load

    if question is None and dataset is None and experiment is None:
        templates = [load(ref, folder or ()) for ref in (first, second)]
        names = [template.ref for template in templates]
        texts = [text.of_template(template) for template in templates]
    else:
        asking = Asking(dataset, experiment, question, databases, backend, ids_by_position, model, tuple(folder or ()))
        rendered = [asking.previews(ref) for ref in (first, second)]
        names = [f"{previews[-1].template.ref} for {question}" for previews in rendered]
        texts = ["".join(text.of_messages(one.prompt.messages) for one in previews) for previews in rendered]
    before, after = (one.removesuffix("\n").split("\n") for one in texts)
    lines = unified_diff(before, after, names[0], names[1], lineterm="")
    text.write("".join(f"{line}\n" for line in lines))
