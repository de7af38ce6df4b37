"""Every line inside a context carries its ids, and is one JSON object."""

import json
import logging

import pytest
import structlog

from core.logging import configure_logging, log_context


def test_ids_stand_on_every_line(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers[:]
    # A request leaves its ids in the thread that served it, until the next one: a test before this may have made one.
    structlog.contextvars.clear_contextvars()
    try:
        configure_logging("INFO", json=True)
        with log_context(document_id="d1", attempt=2, batch_id=None):
            structlog.get_logger("tallyscan").info("read")
            logging.getLogger("elsewhere").warning("odd")
        structlog.get_logger("tallyscan").info("after")
    finally:
        logging.getLogger().handlers[:] = before
        structlog.reset_defaults()
    first, second, third = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["event"], first["document_id"], first["attempt"]) == ("read", "d1", 2)
    assert (second["event"], second["document_id"]) == ("odd", "d1")
    assert "batch_id" not in first
    assert "document_id" not in third
