"""A repository's states one after the other, and the way back: real plans and applies over the offline provider."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from bot.domain.plans.plan_reader import read_plan
from bot.domain.plans.summary import PlanSummary
from bot.domain.ports.terraform import Additions, PlanOptions, PlanResult
from tests.integration.terraform.conftest import Bench

HEAD = """
terraform {
  required_providers {
    playground = {
      source  = "towpath.example/demo/playground"
      version = "1.0.0"
    }
  }
}
"""
"""What most configurations of these tests begin with."""


class Road:
    """Checked-out configurations by name, applied to one state and one cloud."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.left: dict[str, bytes] = {}

    def commit(self, name: str, files: Mapping[str, str] | str) -> Path:
        """A root module's directory. A text alone is `main.tf` after HEAD."""
        root = self.bench.base / "roads" / name
        root.mkdir(parents=True)
        for path, text in ({"main.tf": HEAD + files} if isinstance(files, str) else files).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return root

    @property
    def state(self) -> bytes:
        return Path(self.bench.backend.config["path"]).read_bytes()

    def plan(self, root: Path) -> PlanResult:
        place = self.bench.place(root)
        ready = self.bench.runner.init(place, self.bench.backend, self.bench.control())
        assert ready.ended.ok, ready.ended.log
        return self.bench.runner.plan(place, root / "plan", self.bench.control(), PlanOptions())

    def applied(self, root: Path) -> PlanSummary:
        """Plan and apply; keeps the state that it left by the root's name."""
        planned = self.plan(root)
        assert planned.ended.ok, planned.ended.log
        ended = self.bench.runner.apply(self.bench.place(root), root / "plan", self.bench.control())
        assert ended.ok, ended.log
        self.left[root.name] = self.state
        return read_plan(planned.json)

    def additions(
        self, old: Path, new: Path, *, known: bool = True, imported: Collection[str] | None = ()
    ) -> Additions:
        then = self.left[old.name] if known else b""
        return self.bench.runner.revert_additions(old, new, then=then, now=self.state, imported=imported)

    def back(
        self, old: Path, new: Path, *, known: bool = True, imported: Collection[str] | None = ()
    ) -> tuple[Additions, Path]:
        """What is added, and the directory of the old configuration with it."""
        added = self.additions(old, new, known=known, imported=imported)
        texts = {
            path.relative_to(old).as_posix(): path.read_bytes()
            for path in old.rglob("*")
            if path.is_file() and not re.search(r"\.terraform/|/?plan$|zz_", str(path.relative_to(old)))
        }
        again = self.bench.base / "roads" / f"{old.name}-again-{len(self.left)}-{known}"
        for name, content in (texts | dict(added.files)).items():
            (again / name).parent.mkdir(parents=True, exist_ok=True)
            (again / name).write_bytes(content)
        return added, again

    def numbers(self, old: Path, new: Path, *, known: bool = True) -> tuple[int, int, int]:
        """To add, to change, to destroy on the way back."""
        added, again = self.back(old, new, known=known)
        planned = self.plan(again)
        assert planned.ended.ok, (planned.ended.log, added.files)
        summary = read_plan(planned.json)
        return summary.add, summary.change, summary.destroy
