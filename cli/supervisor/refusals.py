"""Why the service did not start, each with the exit code that `tallyscan up` ends with."""

from core.errors import TallyscanError


class StartRefused(TallyscanError):
    """The service cannot start as asked; nothing was changed."""

    exit_code = 1
    sentence = "The service did not start."


class AlreadyRunning(StartRefused):
    """Another supervisor holds this home folder."""


class PortTaken(StartRefused):
    """Somebody else listens at the address."""


class ChildrenFailing(StartRefused):
    """The service's processes started, but it never became ready."""


class WrongUsage(StartRefused):
    """An address or folder that the service does not accept."""

    exit_code = 2
