"""What the commands print of plans and runs: as the bot's check does, and as JSON."""

from __future__ import annotations

from bot.cli.dev.desk import Desk
from bot.cli.dev.local import Local
from bot.cli.output import document
from bot.domain.release import Release
from bot.domain.run import Plan, Run
from bot.render.document import Bold, Document, Element, Facts, Plain, Text
from bot.render.documents.plan import diff, summary_of
from bot.render.documents.plan_overview import destroyed, overview
from bot.render.documents.run_failure import run_failure

_COUNTS = ("add", "change", "destroy", "replace", "imports", "move", "forget")


def show_plan(desk: Desk, local: Local, run: Run, plan: Plan | None) -> None:
    """Print what was planned, from which files and by which policy; or why there is no plan."""
    files = f"{desk.copy.branch or 'HEAD'} at {desk.copy.head[:7]}"
    if local.changed:
        number = len(local.changed)
        files += f", and {number} uncommitted change{'s' if number > 1 else ''}"
    facts: list[Element] = [
        Facts(
            (
                ("Target", (Bold(str(run.target)), Plain(f" of {run.target.repository}"))),
                ("Files", (Plain(files),)),
                ("Policy", (Plain(f"{desk.default.ref} at {desk.default.commit[:7]}"),)),
            )
        )
    ]
    summary = summary_of(plan)
    if summary is None:
        document(Document("", (*facts, *failure(run))))
        return
    see = "the plan is longer than a terminal shows"
    planned = Text((Bold("Plan: "), Plain(summary.headline)))
    document(
        Document("", (*facts, *destroyed(summary), *overview(summary), *diff(summary, see=see), planned))
    )


def failure(run: Run) -> tuple[Element, ...]:
    """Say why a run did not succeed."""
    return (Text((Bold(f"{run.word} {run.outcome}".capitalize()),)), *run_failure(run))


def show_applied(run: Run, release: Release | None) -> None:
    """Print how an apply ended, and its smoke checks."""
    if run.outcome != "applied":
        document(Document("", failure(run)))
        return
    elements: list[Element] = [Text((Bold(f"Applied to {run.target}"),))]
    elements += smoke_lines(release)
    if release and release.url:
        elements.append(Text((Plain(release.url),)))
    if run.message and not release:
        elements += run_failure(run)
    document(Document("", tuple(elements)))


def smoke_lines(release: Release | None) -> list[Element]:
    """A line for each smoke check of a release."""
    return [
        Text((Plain(f"{'✓' if check['ok'] else '✗'} {check['name']}: {check.get('message', '')}"),))
        for check in (release.checks if release else ())
    ]


def show_destroyed(run: Run) -> None:
    """Print how a destroy ended."""
    if run.outcome == "applied":
        print(f"\nDestroyed: nothing is left of {run.target.stack} in {run.target}.\n")
    else:
        document(Document("", failure(run)))


def succeeded(run: Run, release: Release | None = None) -> bool:
    """Whether a run did what was asked, its checks included."""
    if run.outcome == "applied" and release is not None:
        return release.verified
    return run.outcome in ("planned", "applied")


def plan_facts(desk: Desk, local: Local, run: Run, plan: Plan | None) -> dict[str, object]:
    """Return a plan, or why there is none, for JSON."""
    return {
        "environment": run.target.environment,
        "stack": run.target.stack,
        "commit": desk.copy.head,
        "uncommitted": list(local.changed),
        "policy": {"ref": desk.default.ref, "commit": desk.default.commit},
        **run_facts(run),
        **summary_facts(plan),
    }


def summary_facts(plan: Plan | None) -> dict[str, object]:
    """Return what a plan would change: numbers, a line, and the resources."""
    summary = summary_of(plan)
    return {
        "summary": summary and {name: getattr(summary, name) for name in _COUNTS},
        "headline": summary.headline if summary else "",
        "changes": [{"address": one.address, "action": one.action} for one in summary.changes]
        if summary
        else [],
    }


def run_facts(run: Run) -> dict[str, object]:
    return {"outcome": run.outcome, "message": run.message, "next_step": run.next_step}


def applied_facts(run: Run, release: Release | None) -> dict[str, object]:
    """Return how an apply ended, for JSON."""
    found = {"verification": release.verification, "checks": list(release.checks)} if release else {}
    return run_facts(run) | found | {"url": release.url if release else ""}
