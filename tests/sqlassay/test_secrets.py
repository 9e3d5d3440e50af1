"""Keys come from the environment, and a missing one says where to put it."""

from __future__ import annotations

import pytest

from sqlassay.errors import UserError
from sqlassay.secrets import find_key


def test_a_key_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_API_KEY", " sk-123\n")
    assert find_key("acme", "ACME_API_KEY") == "sk-123"


@pytest.mark.parametrize("value", [None, "", "  \n"])
def test_a_missing_key_says_where_to_put_it(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACME_API_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("ACME_API_KEY", value)
    with pytest.raises(UserError) as caught:
        find_key("acme", "ACME_API_KEY")
    assert str(caught.value) == "no key for acme (set the environment variable ACME_API_KEY)"
