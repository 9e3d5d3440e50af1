"""Which keys there are, and from where; none is shown."""

from __future__ import annotations

from collections.abc import Iterator

from evaluation.doctor.finding import Finding, State


def keys() -> Iterator[Finding]:
    """The key of each provider whose package is installed."""
    from evaluation.key_variables import key_variables
    from sqlassay.secrets import whereabouts

    for provider, variable in key_variables().items():
        found = whereabouts(variable)
        thing = f"key of {provider}"
        if found is None:
            yield Finding(thing, State.ABSENT, variable, f"set {variable}, or sqlassay keys set {provider}")
        elif found.shadowed:
            said = f"{variable} from {found.source}, before {', '.join(found.shadowed)}"
            yield Finding(thing, State.WARNING, said, "keep one")
        else:
            yield Finding(thing, State.OK, f"{variable} from {found.source}")
