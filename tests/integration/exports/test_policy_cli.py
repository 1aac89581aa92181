"""`towpath export init` and `check` on a database full of oddities, as an operator runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from bot.domain.ports.exports import ExportJob

pytestmark = pytest.mark.postgres


def run(directory: Path, url: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(directory),
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "PROD_EXPORT_DATABASE_URL": url,
    }
    return subprocess.run(
        [sys.executable, "-m", "bot", "export", *words],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_first_policy_fits_and_a_new_column_is_told_with_the_lines_to_add(
    job: ExportJob, tmp_path: Path
) -> None:
    url = job.secrets.source
    written = run(tmp_path, url, "init", "staging", "--from", "prod")
    assert written.returncode == 0, written.stderr
    good = run(tmp_path, url, "check")
    assert good.returncode == 0, good.stdout + good.stderr
    assert run(tmp_path, url, "init", "staging", "--from", "prod").returncode == 1  # nothing is overwritten

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE items ADD COLUMN recipient_email text")
    found = run(tmp_path, url, "check", "staging", "--json")
    assert found.returncode == 1, found.stderr
    (problem,) = json.loads(found.stdout)["exports"]["staging"]
    assert problem["table"] == "public.items"
    assert problem["what"] == "`recipient_email` (text) has no rule"
    header, line = problem["fix"]

    policy = tmp_path / "envs" / "export.toml"
    text = policy.read_text()
    assert header in text
    policy.write_text(text.replace(header, f"{header}\n{line}"))
    assert run(tmp_path, url, "check", "staging").returncode == 0
    assert url not in good.stdout + good.stderr + found.stdout + found.stderr
