"""`make bench`: ratios to bare Terraform, measured in one run, on SQLite and on Postgres."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.terraform.cli.discovery import discover
from tests import postgres
from tests.bench import clicks, deliveries, exports, idle, plans, previews, sandbox, stacks, states

BENCHES = {
    "plans": plans.run,
    "stacks": stacks.run,
    "previews": previews.run,
    "deliveries": deliveries.run,
    "clicks": clicks.run,
    "states": states.run,
    "idle": idle.run,
    "exports": exports.run,
    "sandbox": sandbox.run,
}


def main() -> int:
    """Run them one after the other; exit code 1 where a figure is beyond what is allowed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", choices=BENCHES, action="append", help="just this one (repeatable)")
    parser.add_argument("--database", choices=["sqlite", "postgres"], action="append")
    asked = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory(prefix="towpath-bench-") as temporary:
        engine = discover(path=os.environ.get("PATH"), data=Path(temporary) / "engine")
        print(f"engine: {engine.identity}; {os.cpu_count()} cores", flush=True)
        for name in asked.only or BENCHES:
            for database in asked.database or ["sqlite", "postgres"]:
                with fresh(database) as url:
                    for figure in BENCHES[name](
                        Path(temporary) / f"{name}-{database}", database, url, engine.executable
                    ):
                        print(figure.line(), flush=True)
                        bad += not figure.ok
    return 1 if bad else 0


@contextmanager
def fresh(database: str) -> Iterator[str]:
    """A database's URL for the length of a bench: empty for SQLite."""
    if database == "sqlite":
        yield ""
        return
    with postgres.running() as server:
        yield server.create()


if __name__ == "__main__":
    sys.exit(main())
