"""The packages that sqlassay needs, and those that its extras bring."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from typing import TYPE_CHECKING

from evaluation.doctor.finding import Finding, State

if TYPE_CHECKING:
    from packaging.requirements import Requirement

PURPOSES = {
    "anthropic": "models of Anthropic",
    "duckdb": "databases of DuckDB",
    "gemini": "models of Google",
    "huggingface": "models at Hugging Face",
    "langchain": "prompts of LangChain",
    "langfuse": "copies of runs, datasets and prompts at Langfuse",
    "mysql": "databases of MySQL",
    "ollama": "models of Ollama",
    "openai": "models of OpenAI, and whatever speaks like them",
    "openai_batch": "models of OpenAI at half the price, later",
    "postgres": "databases of PostgreSQL",
    "tokenizers": "exact numbers of tokens before anything is asked",
    "trino": "databases of Trino",
}
"""What each extra is for."""
_TOGETHER = frozenset({"all", "dev"})


def core() -> Iterator[Finding]:
    """The packages without which nothing works."""
    needed = [one for one in _requirements("") if one.marker is None or one.marker.evaluate()]
    wrong = list(_wrong(needed))
    for found in wrong:
        yield Finding("packages", State.FAILED, found, "pip install --upgrade sqlassay")
    if not wrong:
        yield Finding("packages", State.OK, f"sqlassay {version('sqlassay')} and all {len(needed)} that it needs")


def extras() -> Iterator[Finding]:
    """What further packages are for, and whether they are there."""
    for extra in sorted(set(metadata("sqlassay").get_all("Provides-Extra") or ()) - _TOGETHER):
        name = extra.replace("-", "_")
        purpose = PURPOSES.get(name, "")
        remedy = f"pip install 'sqlassay[{name}]'"
        needed = _requirements(extra)
        missing = [one.name for one in needed if _installed(one.name) is None]
        wrong = list(_wrong(one for one in needed if one.name not in missing))
        if missing:
            yield Finding(f"extra {name}", State.ABSENT, f"for {purpose}: {', '.join(missing)}", remedy)
        elif wrong:
            yield Finding(f"extra {name}", State.WARNING, "; ".join(wrong), f"{remedy} --upgrade")
        else:
            told = ", ".join(f"{one.name} {_installed(one.name)}" for one in needed)
            yield Finding(f"extra {name}", State.OK, told)


def _requirements(extra: str) -> list[Requirement]:
    """Of an extra; of sqlassay itself where it is empty."""
    from packaging.requirements import Requirement

    found = [Requirement(line) for line in requires("sqlassay") or ()]
    of_extras = [one.marker is not None and "extra" in str(one.marker) for one in found]
    if not extra:
        return [one for one, belongs in zip(found, of_extras, strict=True) if not belongs]
    return [
        one
        for one, belongs in zip(found, of_extras, strict=True)
        if belongs and one.marker is not None and one.marker.evaluate({"extra": extra})
    ]


def _wrong(needed: Iterable[Requirement]) -> Iterator[str]:
    for one in needed:
        found = _installed(one.name)
        if found is None:
            yield f"{one.name} is not installed"
        elif not one.specifier.contains(found, prereleases=True):
            yield f"{one.name} {found}, and {one.specifier} is needed"


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
