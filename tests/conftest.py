"""What every test may use, and the rule that nothing is skipped unnoticed where `CI=true`."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from xdist.remote import Producer

from tests.scheduling import SERVICES, LoadGroups, group_of

# Two busy cores are no finding: no deadline an example, and the same examples on every machine.
hypothesis_settings.register_profile(
    "tallyscan", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("tallyscan")

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the service's tests come first: the longest group, most of it waiting; the others run beside it."""
    items.sort(key=lambda item: group_of(item.nodeid) != SERVICES)  # stable: otherwise all stay in their order


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadGroups:
    """Keep together, under `-n 2`, what may not run side by side."""
    config.option.loadscopereorder = False  # the largest group by count is not the longest by time
    return LoadGroups(config, log)


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real samples, which is never part of the repository."""
    folder = Path(os.environ.get("TALLYSCAN_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "orand_car_a").is_dir():
        pytest.skip(f"real samples are not at {folder}; set TALLYSCAN_DATA")
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure in CI: there, every service, browser and sample must be present."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where nothing may be missing: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Do the same for modules that are skipped whole."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where nothing may be missing: {report.longrepr}"
    return report
