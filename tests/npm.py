"""GitHub's own descriptions from npm: `python -m tests.npm` installs them, `package` finds them.

They are development packages of the tests alone. Where they are missing, their tests are left out, or fail if
`TOWPATH_TESTS_COMPLETE` is set (as in CI).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"


def installed() -> bool:
    """Whether all packages are there."""
    return all(
        (MODULES / "@octokit" / name).is_dir() for name in ("openapi", "webhooks-examples", "graphql-schema")
    )


def install() -> bool:
    """Install what package-lock.json says; False where there is no npm."""
    npm = shutil.which("npm")
    if npm is None:
        return False
    command = [npm, "ci", "--prefix", str(HERE), "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, check=True, cwd=HERE)
    return installed()


def package(name: str) -> Path:
    """The directory of a package, such as `@octokit/openapi`. Skips the test where it is missing."""
    path = MODULES / name
    if not path.is_dir():
        missing(f"npm package {name} (python -m tests.npm installs it)")
    return path


def missing(what: str) -> None:
    """Leave a test out for want of a tool, or fail where nothing may be left out."""
    if os.environ.get("TOWPATH_TESTS_COMPLETE"):
        pytest.fail(f"missing: {what}")
    pytest.skip(f"missing: {what}")


if __name__ == "__main__":
    sys.exit(0 if install() else "npm is not installed")
