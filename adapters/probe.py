"""Whether a model can be used: the checks that every provider shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters import errors
from adapters.base import Feature, GenerationRequest
from sqlassay.messages import Message
from sqlassay.validation import Check

if TYPE_CHECKING:
    from adapters.remote import RemoteAdapter

_SMALLEST = GenerationRequest((Message("user", "Answer with the word OK."),), {"max_tokens": 16})
_STREAMED = GenerationRequest(_SMALLEST.messages, _SMALLEST.parameters, stream=True)


async def probe(adapter: RemoteAdapter, key_name: str) -> tuple[Check, ...]:
    """Look at a model: server, key, name, and the smallest request, whole and in pieces.

    Args:
        adapter: The model.
        key_name: The environment variable that holds the key; empty when there is none and none is needed.

    Returns:
        The checks up to the first that fails; each answer with its latency.
    """
    place = adapter.base_url
    reachable = Check("reachable", True, place)
    found = await _look(adapter, key_name)
    if not all(check.ok for check in found):
        return found if found[0].name == "reachable" else (reachable, *found)
    checks = [reachable, *found]
    for name, request in (("answer", _SMALLEST), ("streaming", _STREAMED)):
        if request.stream and Feature.STREAM not in adapter.features:
            continue
        try:
            completion = await adapter.generate(request)
        except errors.AdapterError as error:
            checks.append(_failed(name, error, place, key_name))
            break
        latency = f"{completion.model} in {completion.seconds * 1000:.0f} ms"
        if completion.first_token_seconds is not None:
            latency += f", the first token after {completion.first_token_seconds * 1000:.0f} ms"
        checks.append(Check(name, True, latency, seconds=round(completion.seconds, 6)))
    return tuple(checks)


async def _look(adapter: RemoteAdapter, key_name: str) -> tuple[Check, ...]:
    try:
        models = [info.id for info in await adapter.list_models()]
    except errors.AdapterError as error:
        return (_failed("models", error, adapter.base_url, key_name),)
    found = not adapter.listed_as.isdisjoint(models)
    offered = f"the server offers {', '.join(models[:20]) or 'no model'}"
    if adapter.how_to_get:
        offered += f"; {adapter.how_to_get}"
    key = Check("key", True, f"from {key_name}" if key_name else "none is set and none is asked for")
    return key, Check("model", found, adapter.model, "" if found else offered)


def _failed(name: str, error: errors.AdapterError, place: str, key_name: str) -> Check:
    match error:
        case errors.AuthFailed():
            name = f"{key_name} to" if key_name else "api_key_env to the variable of"
            return Check("key", False, str(error), f"set {name} a key that is valid at {place}")
        case errors.ProviderUnreachable() | errors.RequestTimeout():
            return Check("reachable", False, str(error), "is base_url right, and does the server run?")
        case errors.ModelNotFound() if name == "models":
            return Check(name, False, str(error), f"is base_url right? it is {place}")
        case errors.ModelNotFound():
            return Check("model", False, str(error), "name a model that the server offers")
        case errors.QuotaExhausted():
            return Check(name, False, str(error), "the account is empty: top it up")
        case _:
            return Check(name, False, str(error), "the server answers, but not this; try again later")
