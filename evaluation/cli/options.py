"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

Json = Annotated[bool, typer.Option("--json", help="Print data as JSON to stdout instead of a table.")]

Databases = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads annotations at run time
    typer.Option("--databases", metavar="DIR", help="The folder of the databases, where the format does not find it."),
]
Backend = Annotated[
    str,
    typer.Option(
        "--backend",
        metavar="ENGINE[:TARGET]",
        help="The engine; with a target, where the databases are instead, {db_id} in the place of the name: such as"
        " postgres://reader@localhost/bench?schema={db_id}.",
    ),
]
IdsByPosition = Annotated[
    bool, typer.Option("--ids-by-position", help="Count ids from 0 instead of taking the dataset's own.")
]
Limit = Annotated[Optional[int], typer.Option("--limit", metavar="N", help="Only the first N questions.")]  # noqa: UP045
Sample = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--sample", metavar="N", help="Only N questions, chosen by --seed, whatever their order in the file."),
]
Seed = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--seed", metavar="S", help="Which sample --sample takes; the experiment's, or 0, unless given."),
]
Filter = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--filter",
        metavar="KEY=VALUE",
        help="Only questions whose db_id, difficulty, tag, conversation or turn is VALUE. May be given several times:"
        " values of one key are alternatives, keys must all hold.",
    ),
]
Ids = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--ids", metavar="ID,ID,…", help="Only these questions."),
]
Conventions = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--convention",
        metavar="NAME",
        help="May be given several times; `all` is every one; `sqlassay` unless given.",
    ),
]
Strategies = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--strategy",
        metavar="NAME[:KEY=VALUE,…]",
        help="Another strategy, with settings, such as exact_set_match or execution_match:relative_tolerance=1e-3;"
        " several times; alone, or beside --convention. `score` can ask judges: llm_judge:judge=openai:gpt-5.",
    ),
]
Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", help="The folder of runs.")]
Workers = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(
        "--workers", metavar="N", min=1, help="Statements executed at once; the number of cores unless given."
    ),
]
StatementTimeout = Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=0.001, help="For one statement.")]
PredictionTimeout = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0.001, help="For one predicted statement.")
]
MaxRows = Annotated[int, typer.Option("--max-rows", metavar="N", min=1, help="Of one result.")]
MaxMemory = Annotated[int, typer.Option("--max-memory", metavar="MIB", min=1, help="Of one statement.")]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Neither read nor write the cache of gold results (and answers).")
]
Experiment = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--experiment", metavar="FILE", help="The models of an experiment, with its settings."),
]
BaseUrl = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--base-url", metavar="URL", help="Where the API is, if not at the provider's own address."),
]
ApiKeyEnv = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--api-key-env", metavar="NAME", help="The variable that holds the key, if not the provider's own."),
]
Prompt = Annotated[
    str, typer.Argument(metavar="PROMPT", help="NAME for its newest version, NAME@VERSION, or a YAML file.")
]
PromptFolders = Annotated[
    Optional[list[Path]],  # noqa: UP045
    typer.Option("--folder", metavar="DIR", help="A folder with your own prompts; several times."),
]
PromptFolder = Annotated[
    Path, typer.Option("--folder", metavar="DIR", help="The folder of your prompts, DIR/NAME/v<N>.yaml.")
]
MaxTokens = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--max-tokens", metavar="N", min=0, help="As --max-cost, in tokens of prompts and answers."),
]
Refresh = Annotated[bool, typer.Option("--refresh", help="Ask anew: an answer is kept for five minutes.")]
