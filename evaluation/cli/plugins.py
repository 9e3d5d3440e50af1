"""`sqlassay plugins`."""

from __future__ import annotations

from evaluation.cli import output
from evaluation.cli.options import Json


def plugins(json: Json = False) -> None:
    """List what is registered, and from which package.

    Strategies, conventions, adapters, backends, dataset formats, probes of the audit, report formats and packages of
    prompts come in through packaging entry points, built-ins and third parties alike. Nothing is loaded by listing it.
    """
    from adapters.base import ADAPTERS
    from database_backends.base import BACKENDS
    from evaluation.audit.base import PROBES
    from evaluation.base.strategy import STRATEGIES
    from evaluation.conventions.base import CONVENTIONS
    from evaluation.datasets.base import DATASETS
    from evaluation.reports.base import REPORTS
    from prompts.packages import PACKAGES

    registries = (STRATEGIES, CONVENTIONS, ADAPTERS, BACKENDS, DATASETS, PROBES, REPORTS, PACKAGES)
    rows = [(r.kind, p.name, p.package, p.target) for r in registries for p in r.plugins()]
    keys = ("kind", "name", "package", "target")
    if json:
        output.print_json([dict(zip(keys, row, strict=True)) for row in rows])
    else:
        output.data().print(output.table(keys, rows))
