"""The page in a real Chromium, served by the real service; whatever the browser complains of fails the test."""

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.chromium import ARGUMENTS, program
from tests.browser.desk import Complaints, Desk
from tests.live.running import RunningService

DESKTOP = {"width": 1280, "height": 900}

OpenDesk = Callable[..., Desk]


@pytest.fixture(scope="session")
def browser_service(request: pytest.FixtureRequest) -> Iterator[RunningService]:
    """The service behind the page, shared by all browser tests."""
    with tempfile.TemporaryDirectory(prefix="ts-") as folder:
        service = RunningService(Path(folder) / "home", {"sweep_seconds": "0.5"})
        try:
            yield service.start()
        finally:
            if request.session.testsfailed:
                sys.stderr.write(service.report())
            with contextlib.suppress(Exception):
                service.stop()
            service.destroy()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium."""
    found = program()
    if found is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def signed_in(chromium: Browser, browser_service: RunningService) -> Any:  # noqa: ANN401 - Playwright's own type
    """What a browser holds once the one-time link was opened."""
    context = chromium.new_context()
    context.new_page().goto(browser_service.login_link)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def open_desk(chromium: Browser, browser_service: RunningService, request: pytest.FixtureRequest) -> Iterator[OpenDesk]:
    """Return a function that opens the page in a fresh browser context; it may say how the context is made."""
    opened: list[tuple[BrowserContext, Complaints]] = []

    def open_page(*, sign_in: bool = True, **options: object) -> Desk:
        state = request.getfixturevalue("signed_in") if sign_in else None
        context = chromium.new_context(
            **cast("dict[str, Any]", {"viewport": DESKTOP, "storage_state": state, **options})
        )
        context.set_default_timeout(20_000)
        page: Page = context.new_page()
        complaints = Complaints(page)
        opened.append((context, complaints))
        page.goto(browser_service.url)
        return Desk(page, browser_service, complaints)

    yield open_page
    for context, _ in opened:
        context.close()
    assert [line for _, complaints in opened for line in complaints.unexpected()] == []


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """A clerk's desk: the page, signed in, nothing open."""
    return open_desk()
