"""The gate for the order of stacks: what comes first is applied first."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.gates.facts import ApplyFacts, Upstream
from bot.domain.refusal import Allowed, Refused
from bot.domain.target import Target, command

UPSTREAM_FIRST = "upstream-first"
"""The refusal's code while a stack that comes first has changes to apply."""


class UpstreamApplied:
    """What this pull request changes in the stacks before this one is applied, and no apply is running there."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        if facts.reverting:
            return Allowed("a revert waits for no other stack")
        running = facts.upstream_applying
        if running is not None:
            return Refused(
                "upstream-applying",
                f"An apply of #{running.pull} is running on {running.target}, and {facts.target} comes after it.",
                f"Run `{facts.apply_command}` when it has finished.",
            )
        return refuse_upstream(facts.target, facts.pull.head_sha, facts.upstream) or Allowed()


def refuse_upstream(target: Target, head: str, upstream: Iterable[Upstream]) -> Refused | None:
    """Return the refusal that names the first stack to apply before `target`, or None. head: the pull request's latest
    commit."""
    first = first_unapplied(head, upstream)
    if first is None:
        return None
    ready = first.plan is None or (first.plan.status == "fresh" and first.plan.commit == head)
    what = "has changes to apply" if first.plan else "has no plan yet"
    return Refused(
        UPSTREAM_FIRST,
        f"{first.target} comes before {target}, and {what}.",
        f"`{command('apply' if ready else 'plan', first.target)}`",
    )


def first_unapplied(head: str, upstream: Iterable[Upstream]) -> Upstream | None:
    """Return the first of them that is to be applied before the target, or None."""
    return next((one for one in upstream if one.unapplied(head)), None)
