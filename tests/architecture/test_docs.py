"""Every setting, route, command and error code is documented."""

from pathlib import Path

import pytest

from core.settings import Settings
from core.types import ReviewReason
from forms.templates import template_schema
from tests.core.test_errors import every_error


def test_every_setting_is_documented(project_root: Path) -> None:
    text = (project_root / "docs" / "settings.md").read_text()
    missing = [name for name in Settings.model_fields if f"`TALLYSCAN_{name.upper()}`" not in text]
    assert not missing


def test_every_error_code_is_documented(project_root: Path) -> None:
    text = (project_root / "docs" / "errors.md").read_text()
    missing = {error.code for error in every_error() if f"`{error.code}`" not in text}
    assert not missing


@pytest.mark.parametrize("place", ["docs/review-reasons.md", "api/web/words.js"])
def test_every_reason_for_review_is_explained(place: str, project_root: Path) -> None:
    text = (project_root / place).read_text()
    assert [reason for reason in ReviewReason if f"`{reason}`" not in text and f"  {reason}: " not in text] == []


def test_every_field_type_is_documented(project_root: Path) -> None:
    text = (project_root / "docs" / "field-types.md").read_text()
    names = template_schema()["$defs"]["TemplateField"]["properties"]["type"]["anyOf"][0]["discriminator"]["mapping"]
    assert len(names) >= 10
    assert [name for name in names if f"| `{name}` |" not in text] == []


def test_every_route_is_documented(project_root: Path, tmp_path: Path) -> None:
    from api.app import create_app

    text = (project_root / "docs" / "http.md").read_text()
    rules = {rule.rule for rule in create_app(Settings(home=tmp_path)).url_map.iter_rules()}
    routes = {rule.replace("<int:", "<").replace("<", "{").replace(">", "}") for rule in rules}
    missing = {route for route in routes if route.startswith("/v1/") and route not in text}
    assert not missing


@pytest.mark.parametrize(
    "page", ["README.md", "CHANGELOG.md", "docs/architecture.md", "docs/templates.md", "docs/review-reasons.md"]
)
def test_relative_links_lead_somewhere(page: str, project_root: Path) -> None:
    import re

    source = project_root / page
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", source.read_text())
    assert [target for target in targets if not (source.parent / target).exists()] == []
