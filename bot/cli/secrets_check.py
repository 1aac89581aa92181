"""What `towpath doctor` says about secrets: one finding for each environment, and which variables are set."""

from __future__ import annotations

from typing import Any

from bot.domain.identity import Given
from bot.domain.sanitize import outside
from bot.domain.secrets import MissingVariable, SecretsReport
from bot.services.secrets import Examined

Sentence = tuple[str, bool, str]
"""The part, whether it works, and what was found."""


def told(one: Examined) -> Sentence:
    """Return the finding for an environment."""
    part = f"secrets of {one.repository} {one.environment}".rstrip()
    if one.report is None:
        by_hand = f" To see why, run: {one.by_hand}" if one.by_hand else ""
        return part, False, f"{one.problem}{by_hand}"
    problems = [*map(_lacking, one.report.missing), *one.report.unread]
    plan, apply = (
        sum(getattr(entry, phase) is not None for entry in one.report.entries) for phase in ("plan", "apply")
    )
    return part, not problems, " ".join(problems) or f"{plan} for plans, {apply} for applies, nothing missing"


def _lacking(missing: MissingVariable) -> str:
    step = missing.next_step.replace("`", "")
    name, place = outside(missing.variable.name), outside(missing.variable.place)
    return f"{name} has no value ({place}). {step}"


def facts(report: SecretsReport) -> dict[str, Any]:
    """Return a report for `--json`. Like all of them it has no values."""
    return {
        "repository": report.repository,
        "environment": report.environment,
        "commit": report.commit,
        "variables": [
            {
                "name": entry.name,
                "setting": entry.setting,
                "plan": _given(entry.plan),
                "apply": _given(entry.apply),
            }
            for entry in report.entries
        ],
        "missing": [
            {
                "stack": one.stack,
                "name": one.variable.name,
                "file": one.variable.file,
                "line": one.variable.line,
                "phases": list(one.phases),
                "next_step": one.next_step,
            }
            for one in report.missing
        ],
        "unread": list(report.unread),
    }


def _given(given: Given | None) -> dict[str, str] | None:
    return {"source": given.source, "name": given.name} if given else None
