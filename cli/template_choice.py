"""`--template auto` of `tallyscan read`: the templates of this machine, or of its service, to choose from."""

from collections.abc import Sequence

from cli.template_shelf import Kept, find_template, has_shelf, names_file, open_shelf, printed_versions
from cli.terminal import say
from core.errors import TallyscanError, UnknownTemplate
from core.settings import Settings
from core.types import TemplateUse
from forms.builtins import builtin_templates
from forms.templates import Template
from segmentation.decoding import DecodeLimits
from segmentation.registration.codes import FormCode
from storage.blobs import BlobStore
from worker.choosing import Chooser, Known
from worker.form_reading import Form, open_form


def open_stored(template: Template, settings: Settings, *, versions: frozenset[int] | None = None) -> Form:
    """Return a stored or built-in template as a form, its reference out of this machine's blobs.

    Raises:
        TallyscanError: the reference is not there, or cannot be decoded.
    """
    digest = template.registration.reference
    reference = None if digest is None else BlobStore.open(settings.resolved_blob_url).get(digest)
    return open_form(template, reference=reference, limits=DecodeLimits.from_settings(settings), versions=versions)


def open_choice(settings: Settings) -> Chooser:
    """Return what chooses among the templates that there are now; those that cannot be opened are named on stderr."""
    return Chooser(_ShelfTemplates(settings))


class _ShelfTemplates:
    """The templates of a shelf, as they are at the start of a command."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known = [known for kept in _kept(settings) if (known := self._open(kept)) is not None]

    def known(self) -> Sequence[Known]:
        """Return the latest version of every template, the built-in ones with them."""
        return self._known

    def printed(self, code: FormCode) -> Known | None:
        """Return the version that a form's code names, or the latest where that is not kept; None where none is."""
        latest = next((each for each in self._known if each.use.name == code.name), None)
        if latest is not None and latest.use.version == code.version:
            return latest
        if names_file(code.name):
            return latest
        try:
            return self._open(find_template(code.name, self._settings, version=code.version))
        except UnknownTemplate:
            return latest

    def _open(self, kept: Kept) -> Known | None:
        template = kept.template
        use = TemplateUse(template.name, kept.version)
        try:
            form = open_stored(template, self._settings, versions=printed_versions(kept, self._settings))
        except TallyscanError as error:
            say(f"template {template.name} is left out: {error} ({error.code})", err=True)
            return None
        return Known.of(use, form, lambda: form)


def _kept(settings: Settings) -> list[Kept]:
    if not has_shelf(settings, url=None):
        return [Kept(template) for template in builtin_templates().values()]
    with open_shelf(settings, url=None, key=None) as shelf:
        return shelf.all()
