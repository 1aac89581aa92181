"""Findings of drift, and the answers that tell them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.domain.chat import Drifted, Result
from bot.domain.drift.model import Drift
from bot.domain.plans import SENSITIVE, AttributeChange, PlanSummary, ResourceChange
from tests.unit.render.facts import HEAD, NOW, URL, target


def drift(text: str = "xl", many: int = 1) -> Drift:
    """Something resized, something deleted, and an output that follows; `text` is in all of it."""
    name = f"thing.web[{text!r}]"
    outside = ResourceChange(name, "thing", "update", (AttributeChange("size", '"m"', f'"{text}"'),))
    gone = ResourceChange("thing.old", "thing", "delete", (AttributeChange("token", SENSITIVE, ""),))
    back = ResourceChange(name, "thing", "update", (AttributeChange("size", f'"{text}"', '"m"'),))
    anew = ResourceChange("thing.old", "thing", "replace", (AttributeChange("id", '"1"', "", True),))
    summary = PlanSummary(
        add=1,
        change=many,
        destroy=1,
        replace=1,
        changes=(anew, *[back] * many, ResourceChange("data.thing.it", "thing", "read")),
        drift=(*[outside] * many, gone),
        outputs=(AttributeChange("url", '"http://a"', '"http://b"'),),
    )
    staging = target("staging")
    return Drift("x1", staging, "run-drift", HEAD, "e1", NOW, "d" * 64, many + 1, many + 2, summary.to_dict())


def results() -> dict[str, Result]:
    found = drift()
    clean = replace(found, id="x2", run_id="run-2", digest="", outside=0, pending=0, summary={})
    ignored = replace(clean, summary={"ignored": found.summary["drift"][:1]})
    older = replace(found, id="x0", run_id="run-0", found_at=NOW - timedelta(hours=6))
    return {
        "drifted": Drifted(found, (found, clean), f"{URL}/runs/run-drift"),
        "drifted_known": Drifted(found, (older, clean)),
        "drifted_not": Drifted(clean),
        "drifted_ignored": Drifted(ignored, link=f"{URL}/runs/run-2"),
    }
