"""Templates for tests."""

from typing import Any


def template_json(*, name: str = "card", **changes: object) -> dict[str, Any]:
    """Return a small form: an account in a comb, two amounts and their total, two days."""
    fields = [
        {"name": "account", "type": {"name": "luhn", "length": 8}, "box": _box(20, 20, 160, 30), "cells": 8},
        {"name": "cash", "type": "amount", "box": _box(20, 60, 100, 30)},
        {"name": "coins", "type": "amount", "box": _box(20, 100, 100, 30), "required": False},
        {"name": "total", "type": "amount", "box": _box(20, 140, 100, 30), "target_error": 0.005},
        {"name": "sent", "type": {"name": "date", "earliest": "2020-01-01"}, "box": _box(20, 180, 160, 30)},
        {"name": "paid", "type": "date", "box": _box(200, 180, 160, 30), "required": False},
    ]
    checks = [
        {"kind": "sum", "terms": ["cash", "coins"], "total": "total"},
        {"kind": "order", "fields": ["sent", "paid"]},
    ]
    page = {"width": 400, "height": 240, "unit": "px"}
    return {"name": name, "description": "A deposit card.", "page": page, "fields": fields, "checks": checks, **changes}


def _box(x: float, y: float, width: float, height: float) -> dict[str, float]:
    return {"x": x, "y": y, "width": width, "height": height}
