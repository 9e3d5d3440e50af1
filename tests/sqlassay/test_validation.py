"""Results of validation: all right when every check is."""

from __future__ import annotations

import pytest

from sqlassay.validation import Check, ValidationResult


@pytest.mark.parametrize(("checks", "ok"), [((), True), ((True,), True), ((True, False), False), ((False,), False)])
def test_all_right_is_when_every_check_is(checks: tuple[bool, ...], ok: bool) -> None:
    made = tuple(Check(f"check {number}", good) for number, good in enumerate(checks))
    assert ValidationResult("a server", made).ok is ok
