"""What stays together, and in which order, when `pytest -n 2` runs tests in two processes side by side."""

from xdist.scheduler import LoadScopeScheduling

SERVICES = "services"
SERVICE_TESTS = ("tests/browser/", "tests/examples/test_demo.py", "tests/flow/", "tests/live/")
"""What runs the whole service: it watches clocks, kills and restarts, so no two of these may run side by side."""


def group_of(nodeid: str) -> str:
    """Return what a test stays together with: all that run services, else its file, whose fixtures it shares."""
    return SERVICES if nodeid.startswith(SERVICE_TESTS) else nodeid.partition("::")[0]


# xdist 3.8 does the same by `--dist loadgroup` and marks, but writes the groups where pytest 9.2 does not read them.
class LoadGroups(LoadScopeScheduling):
    """Gives each process one group after the other, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
