"""The templates that a process chooses from: stored ones, the built-in ones beside them, and what was kept of each.

Which versions there are is asked of the database for each page, so that a template that was added or changed counts
at once; what a version looks like never changes, and is kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import structlog

from core.errors import BlobMissing, TallyscanError, Unavailable, UnknownTemplate
from core.types import Page, TemplateUse
from forms.builtins import builtin_template, builtin_templates
from segmentation.decoding import DecodeLimits
from segmentation.registration.codes import FormCode
from storage.records import TemplateRef
from storage.templates import Templates
from worker.choosing import Choose, Chooser, Known
from worker.form_reading import Form, open_form
from worker.micr import MicrReader

log = structlog.get_logger(__name__)

MOST_KEPT: Final = 512
"""Templates of which a process keeps what tells them apart, a megabyte each where they have a reference."""


class StoredTemplates:
    """Templates of a database."""

    def __init__(self, templates: Templates, form_of: Callable[[TemplateRef], Form], *, limits: DecodeLimits) -> None:
        """Choose from `templates`, which `form_of` opens; built-in ones are opened within `limits`."""
        self._templates = templates
        self._form_of = form_of
        self._limits = limits
        self._kept: dict[TemplateUse, Known | None] = {}

    def known(self) -> Sequence[Known]:
        """Return the latest version of every template, the built-in ones with them; those that cannot be opened not.

        Raises:
            DatabaseUnavailable: the database cannot be asked.
            BlobStoreUnavailable: a reference cannot be fetched now.
        """
        uses = [TemplateUse(*ref) for ref in self._templates.versions()]
        stored = {use.name for use in uses}
        uses += [TemplateUse(name) for name in builtin_templates() if name not in stored]
        if len(self._kept) > MOST_KEPT:
            self._kept = {use: kept for use, kept in self._kept.items() if use in set(uses)}
        return [known for use in uses if (known := self._known(use)) is not None]

    def printed(self, code: FormCode) -> Known | None:
        """Return the version that a form's code names, or the latest where that is not kept; None where none is."""
        for version in (code.version, None):
            try:
                record = self._templates.get(code.name, version)
            except UnknownTemplate:
                continue
            return self._known(TemplateUse(record.name, record.version))
        return None

    def _known(self, use: TemplateUse) -> Known | None:
        if use not in self._kept:
            self._kept[use] = self._opened(use)
        return self._kept[use]

    def _opened(self, use: TemplateUse) -> Known | None:
        def opening() -> Form:
            if use.version is None:
                return open_form(builtin_template(use.name), reference=None, limits=self._limits)
            return self._form_of(TemplateRef(use.name, use.version))

        try:
            return Known.of(use, opening(), opening)
        except Unavailable as error:
            if not isinstance(error, BlobMissing):
                raise
            code = error.code
        except Exception as error:  # noqa: BLE001 - one template keeps no page from the others, whatever is wrong with it
            code = error.code if isinstance(error, TallyscanError) else type(error).__name__
        log.warning("template left out", template=use.name, version=use.version, code=code)
        return None


def stored_choice(templates: Templates, form_of: Callable[[TemplateRef], Form], *, limits: DecodeLimits) -> Choose:
    """Return what chooses among the templates of a database; a built-in one is stored when it is first chosen."""
    chooser = Chooser(StoredTemplates(templates, form_of, limits=limits))

    def choose(page: Page, micr: Callable[[], MicrReader]) -> Known | None:
        chosen = chooser(page, micr)
        if chosen is None or chosen.use.version is not None:
            return chosen
        record = templates.put(chosen.use.name, builtin_template(chosen.use.name).as_json())
        return replace(chosen, use=TemplateUse(record.name, record.version))

    return choose
