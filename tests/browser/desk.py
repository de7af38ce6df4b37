"""What a clerk does at the page, and what the browser complains of while they do it."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, FilePayload, Page, Route, expect

from tests.live.running import RunningService

# A request that is answered with an error is the test's business; it says which answers it expects.
REFUSED = re.compile(r"Failed to load resource: .*status of (\d+)")

ALL_FINISHED = """() => {
    const states = [...document.querySelectorAll(".rows .outcome .state")].map((state) => state.textContent.trim());
    const final = ["Accepted", "Needs a look", "Failed", "Cancelled"];
    return states.length > 0 && states.every((state) => final.includes(state));
}"""


class Complaints:
    """Errors, warnings and policy violations in the console, and exceptions that nobody caught."""

    def __init__(self, page: Page) -> None:
        """Listen to `page`."""
        self._lines: list[str] = []
        self._expected: set[str] = set()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self._lines.append(f"uncaught: {error}"))

    def expect(self, *statuses: int) -> None:
        """Take answers with these statuses for granted; 0 is no answer at all."""
        self._expected.update(str(status) for status in statuses)

    def forget(self) -> None:
        """Take everything so far for granted."""
        self._lines.clear()

    def unexpected(self) -> list[str]:
        """Return what nobody expected."""
        return [line for line in self._lines if not self._is_expected(line)]

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._lines.append(f"{message.type}: {message.text}")

    def _is_expected(self, line: str) -> bool:
        refused = REFUSED.search(line)
        if refused:
            return refused.group(1) in self._expected
        return "0" in self._expected and "net::ERR" in line


class Desk:
    """The page with the service behind it."""

    def __init__(self, page: Page, service: RunningService, complaints: Complaints) -> None:
        """Work with `page`."""
        self.page = page
        self.service = service
        self.complaints = complaints

    def choose(self, *files: FilePayload | Path, type_name: str | None = None) -> None:
        """Choose files, and what is on them."""
        self.page.locator("#files").set_input_files(list(files))
        if type_name is not None:
            self.page.locator(f"input[name=type][value='{type_name}']").check()

    def read(self) -> None:
        """Press Read & Predict."""
        self.page.get_by_role("button", name="Read & Predict").click()

    def read_one(self, file: FilePayload | Path, *, type_name: str = "digits") -> dict[str, Any]:
        """Read one file, wait for the reading to show, and return the document as the service has it."""
        self.choose(file, type_name=type_name)
        self.read()
        self.wait_for_reading()
        return self.document()

    def wait_for_reading(self) -> None:
        """Wait until the open document's scan stands there with its boxes."""
        expect(self.page.locator(".scan-boxes")).to_be_attached()

    def wait_for_rows(self) -> None:
        """Wait until every file of the open batch is finished."""
        self.page.wait_for_url("**/#/batches/*")
        self.page.wait_for_function(ALL_FINISHED, timeout=90_000)
        expect(self.page.locator("#progress")).to_be_hidden()

    def lose_first_answer(self) -> list[str]:
        """Let the first document that is sent arrive, and its answer be lost; return the list of ids as they come."""
        self.complaints.expect(500)
        taken: list[str] = []

        def pass_on(route: Route) -> None:
            answer = route.fetch()
            taken.append(answer.json()["id"])
            lost = {"code": "internal_error", "detail": "Lost.", "retryable": False}
            route.fulfill(status=500, json=lost) if len(taken) == 1 else route.fulfill(response=answer)

        self.page.route("**/v1/documents", pass_on)
        return taken

    def document_id(self) -> str:
        """Return the id of the open document."""
        return self._opened("documents")

    def batch_id(self) -> str:
        """Return the id of the open batch."""
        return self._opened("batches")

    def document(self) -> dict[str, Any]:
        """Return the open document as the service has it."""
        return self.service.document(self.document_id())

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all elements that `selector` finds."""
        return [text.strip() for text in self.page.locator(selector).all_inner_texts()]

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return width

    def _opened(self, kind: str) -> str:
        self.page.wait_for_url(f"**/#/{kind}/*")
        return self.page.url.rpartition("/")[2]


def png(name: str, data: bytes) -> FilePayload:
    """Return a PNG as a file that can be chosen."""
    return {"name": name, "mimeType": "image/png", "buffer": data}


def field_texts(document: dict[str, Any]) -> Sequence[str]:
    """Return the texts of a document's fields."""
    return [field["text"] for page in document["pages"] for field in page["fields"]]
