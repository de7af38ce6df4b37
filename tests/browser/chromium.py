"""Which browser the page is driven in, and how it is started."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
"""No sandbox, since CI runs as root in a container; nothing that speaks to anybody but the service."""


def program() -> str | None:
    """Return the system's Chromium, or None where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)
