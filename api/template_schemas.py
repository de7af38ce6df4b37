"""What goes in and comes out at `/v1/templates`; the template itself is the model of `forms.templates`."""

from datetime import datetime
from typing import Self

from apiflask.fields import UploadFile
from pydantic import BaseModel, Field

from api.schemas import Form, Input, Sha256
from forms.templates import Template, parse_template
from storage.records import TemplateRecord


class ReferenceForm(Form):
    """A picture of an empty form."""

    file: UploadFile = Field(description="A PNG, JPEG, BMP, WebP, TIFF or PDF; of several pages the first counts.")


class TemplateQuery(Input):
    """Which version of a template."""

    version: int | None = Field(None, ge=1, le=2**31 - 1, description="A version; the latest one without it.")


class Reference(BaseModel):
    """A picture that templates may name as their reference."""

    sha256: Sha256


class TemplateVersion(BaseModel):
    """A template and which version of its name it is."""

    name: str
    version: int | None = Field(description="Null: built in, and not used yet.")
    created_at: datetime | None
    template: Template

    @classmethod
    def of(cls, record: TemplateRecord) -> Self:
        """Return the record as callers see it."""
        template = parse_template(record.body, name=record.name, kept=True)
        return cls(name=record.name, version=record.version, created_at=record.created_at, template=template)


class TemplateSummary(BaseModel):
    """A template in a list."""

    name: str
    version: int | None = Field(description="The latest; null: built in, and not used yet.")
    created_at: datetime | None
    description: str
    fields: list[str] = Field(description="Their names.")

    @classmethod
    def of(cls, record: TemplateRecord) -> Self:
        """Return the record as callers see it; its body may be of another version of Tallyscan."""
        fields = record.body.get("fields")
        return cls(
            name=record.name,
            version=record.version,
            created_at=record.created_at,
            description=str(record.body.get("description", "")),
            fields=[str(field["name"]) for field in fields] if isinstance(fields, list) else [],
        )

    @classmethod
    def of_builtin(cls, template: Template) -> Self:
        """Return a built-in template as callers see it."""
        return cls(
            name=template.name,
            version=None,
            created_at=None,
            description=template.description,
            fields=[field.name for field in template.fields],
        )


class TemplateList(BaseModel):
    """Templates by name."""

    templates: list[TemplateSummary]
