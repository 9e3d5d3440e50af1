"""The application: every command, and what happens to errors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from evaluation.cli import (
    audit,
    backends,
    compare,
    datasets,
    demo,
    doctor,
    gate,
    judge,
    keys,
    langfuse,
    models,
    plugins,
    prompts,
    report,
    runs,
    schema,
    score,
    verdict,
)
from evaluation.cli import run as run_group
from sqlassay.errors import ExitCode, SqlAssayError, UserError
from sqlassay.printable import printable
from sqlassay.secrets import without

app = typer.Typer(
    name="sqlassay",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich would take longer to import than everything else together
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=(
        "Measure how well a system turns questions into SQL.\n\n"
        "A question becomes an answer, the answer's SQL and the gold SQL are executed, the results are compared, and"
        " every item ends as one record: correct, incorrect, or unscored because the instrument failed.\n\n"
        "First steps: `sqlassay demo` runs a finished benchmark offline; `sqlassay score` scores a file of"
        " predictions; `sqlassay run` runs an experiment with models.\n\n"
        "Exit codes: 0 finished · 1 finished but unusable (too many instrument failures, or an unexpected verdict)"
        " · 2 a mistake in the command, a file or a setting · 3 a gate that failed · 130 interrupted · 141 the reader"
        " of the output has gone."
    ),
)
app.command("run")(run_group.run)
app.command("score")(score.score)
app.command("verdict")(verdict.verdict)
app.command("compare")(compare.compare)
app.command("report")(report.report)
app.command("gate")(gate.gate)
app.add_typer(runs.app, name="runs")
app.add_typer(datasets.app, name="datasets")
app.add_typer(backends.app, name="backends")
app.add_typer(models.app, name="models")
app.add_typer(prompts.app, name="prompts")
app.add_typer(judge.app, name="judge")
app.add_typer(langfuse.app, name="langfuse")
app.add_typer(keys.app, name="keys")
app.command("audit")(audit.audit)
app.command("plugins")(plugins.plugins)
app.command("schema")(schema.schema)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"sqlassay {version('sqlassay')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the program itself."""


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: Without the program's name.

    Returns:
        The exit code: see `ExitCode`.
    """
    try:
        code = app(args=list(arguments), prog_name="sqlassay", standalone_mode=False)
    except TyperException as error:
        _show_usage_error(error)
        return ExitCode.USER_ERROR
    except SystemExit as stop:
        # typer and rich both turn a reader that has gone into this; their exit code is the one of an unusable result.
        if isinstance(stop.__context__, BrokenPipeError):
            return ExitCode.READER_GONE
        raise
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted", file=sys.stderr)  # noqa: T201
        return ExitCode.INTERRUPTED
    except UserError as error:
        print(f"error: {printable(without(str(error)))}", file=sys.stderr)  # noqa: T201
        return ExitCode.USER_ERROR
    except SqlAssayError as error:
        print(f"error: {printable(without(str(error)))}", file=sys.stderr)  # noqa: T201
        return ExitCode.UNUSABLE
    if code == ExitCode.INTERRUPTED and not isinstance(code, ExitCode):
        print("interrupted", file=sys.stderr)  # noqa: T201 - by typer, which says nothing; our commands say more
    return code if isinstance(code, int) else ExitCode.OK


def _show_usage_error(error: TyperException) -> None:
    """As typer itself shows it: usage, a pointer to the help, and the problem."""
    show = getattr(error, "show", None)
    if show is not None:
        show()
    else:
        print(f"error: {printable(without(str(error)))}", file=sys.stderr)  # noqa: T201
