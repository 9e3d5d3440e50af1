"""The browser that tests look at pages with: the Chromium that is on the machine.

A test that takes `browser` skips where there is none, or fails if it is required (`--require-browser`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def program() -> str | None:
    """The browser of this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("browser").addoption(
        "--require-browser", action="store_true", help="a test that skips because there is no browser has failed"
    )


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """A browser for the tests of one module.

    While it is there, Playwright's event loop counts as running in this thread, so no test may call `asyncio.run`: not
    those of the module, and none of another one, which is why it is not there for longer.
    """
    found = program()
    if found is None:
        reason = "there is no Chromium: apt-get install chromium"
        if request.config.getoption("require_browser"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()
