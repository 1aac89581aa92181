"""What is left out is named, and fails a run that must be complete."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TESTS = """
import pytest

@pytest.mark.chromium
def test_needs_chromium():
    pass

def test_passes():
    pass
"""


def run(directory: Path, text: str = TESTS, **settings: str) -> subprocess.CompletedProcess[str]:
    (directory / "test_it.py").write_text(text)
    (directory / "pytest.ini").write_text("[pytest]\nmarkers =\n  chromium: x\n")
    kept = {name: value for name, value in os.environ.items() if name not in ("TOWPATH_TESTS_COMPLETE", "CI")}
    kept.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "tests.leftout",
            "-p",
            "no:cacheprovider",
            str(directory),
        ],
        cwd=directory,
        env=kept | {"PYTHONPATH": str(ROOT)} | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_missing_tool_is_named_with_how_to_get_it(tmp_path: Path) -> None:
    done = run(tmp_path, TOWPATH_TEST_CHROMIUM="/nowhere/chromium")
    assert done.returncode == 0, done.stdout
    assert "1 test: Chromium is not here" in done.stdout
    assert "To get Chromium: `apt-get install chromium`" in done.stdout
    assert "1 passed, 1 skipped" in done.stdout


def test_a_complete_run_fails_on_it(tmp_path: Path) -> None:
    done = run(tmp_path, TOWPATH_TEST_CHROMIUM="/nowhere/chromium", TOWPATH_TESTS_COMPLETE="1")
    assert done.returncode == 1
    assert "nothing may be left out" in done.stdout


def test_with_the_tool_nothing_is_left_out(tmp_path: Path) -> None:
    done = run(tmp_path, TOWPATH_TEST_CHROMIUM=sys.executable, TOWPATH_TESTS_COMPLETE="1")
    assert done.returncode == 0, done.stdout
    assert "left out" not in done.stdout
    assert "2 passed" in done.stdout


@pytest.mark.parametrize(
    "text",
    [
        "import pytest\ndef test_it():\n    pytest.skip('for another reason')\n",
        "import pytest\npytest.skip('for another reason', allow_module_level=True)\n",
        "import pytest\n@pytest.mark.skipif(True, reason='for another reason')\ndef test_it(): pass\n",
    ],
)
def test_any_skip_counts(tmp_path: Path, text: str) -> None:
    passing = "\ndef test_passes(): pass\n"
    (tmp_path / "test_other.py").write_text(passing)
    relaxed = run(tmp_path, text)
    assert relaxed.returncode == 0, relaxed.stdout
    assert "1 test: for another reason" in relaxed.stdout
    assert run(tmp_path, text, TOWPATH_TESTS_COMPLETE="1").returncode == 1


def test_a_failure_is_a_failure_first(tmp_path: Path) -> None:
    done = run(tmp_path, "def test_it():\n    assert False\n", TOWPATH_TESTS_COMPLETE="1")
    assert done.returncode == 1
    assert "left out" not in done.stdout


def test_an_expected_failure_is_not_left_out(tmp_path: Path) -> None:
    text = "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_it():\n    assert False\n"
    assert run(tmp_path, text, TOWPATH_TESTS_COMPLETE="1").returncode == 0
