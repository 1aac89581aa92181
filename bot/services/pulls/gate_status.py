"""The gates of a guarded environment for a pull request: their answers, the approval, the next command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.approvals import ApprovalState
from bot.domain.chat import TargetStatus
from bot.domain.gates import (
    NEEDS_APPROVAL,
    PROMOTION,
    WAITING,
    ApplyFacts,
    Source,
    first_refusal,
    gate_answers,
)
from bot.domain.policy import Policy, freeze_at, next_freeze
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.records import FollowUp
from bot.domain.ports.store import Tables
from bot.domain.target import Target, command
from bot.services.approvals import approval_state
from bot.services.context import Context
from bot.services.promotion import configuration_digest_of, sources_of

AHEAD = timedelta(hours=24)
"""How long before its start a freeze is announced."""


@dataclass(frozen=True)
class GateStatus:
    """What gates are judged by, by target: the previous stage, the approval, forced applies not yet acknowledged. A target
    without any of them is left out."""

    sources: Mapping[Target, Source]
    approval_states: Mapping[Target, ApprovalState]
    follow_ups: Mapping[Target, Sequence[FollowUp]]


def before(tables: Tables, policy: Policy, targets: Sequence[Target], pull: int) -> GateStatus:
    """Read it for several targets of one repository, unguarded ones included, since losses need approval everywhere. The
    number of queries grows only with the number of approvals."""
    left: dict[Target, list[FollowUp]] = {}
    for one in tables.follow_ups.open(targets[0].repository):
        left.setdefault(one.target, []).append(one)
    approvals = tables.approvals.newest_of(targets, pull) if pull else {}
    return GateStatus(
        sources_of(tables, policy, targets, pull),
        {target: approval_state(tables, approval) for target, approval in approvals.items()},
        left,
    )


def gate_status(
    context: Context, row: TargetStatus, policy: Policy, pull: PullRequest | None, rows: GateStatus
) -> TargetStatus:
    """`row` with what blocks an apply there; unchanged if nothing does."""
    environment, now = row.environment, context.now()
    row = replace(
        row,
        frozen=freeze_at(environment.windows, "apply", now),
        next_freeze=next_freeze(environment.windows, "apply", now, AHEAD),
    )
    losing = row.plan is not None and bool(row.plan.losses)
    if not environment.guarded and not environment.force and row.frozen is None and not losing:
        return row
    source, state = rows.sources.get(row.target), rows.approval_states.get(row.target)
    row = replace(row, follow_ups=tuple(rows.follow_ups.get(row.target, ())), approval_state=state)
    if pull is None or pull.state != "open":
        return row
    found = ApplyFacts(
        pull=pull,
        target=row.target,
        environment=environment,
        plan=row.plan,
        lock=None,
        now=now,
        engine="",
        policy="",
        source=source,
        configuration=configuration_digest_of(
            context, pull.repository, pull.head_sha, policy, row.target.stack
        )
        if source and source.release and source.release.commit == pull.head_sha
        else "",  # of another commit it does not matter, and a head just pushed is not in the mirror yet
        frozen=row.frozen,
        approval_state=state if state and state.approval.live else None,
    )
    said = tuple(gate_answers(PROMOTION, found))
    return replace(row, gates=said, blocked=first_refusal(PROMOTION, found))


def next_step(row: TargetStatus) -> str:
    """The next command for a guarded environment without a run in progress; "" if another environment comes first or
    only time helps."""
    refusal, state = row.blocked, row.approval_state
    live = state is not None and state.approval.live
    if state is not None and live and not state.missing.complete:
        return command("approve", row.target) if state.approval.status == "open" else ""
    if refusal is None or refusal.code in NEEDS_APPROVAL:
        return command("apply", row.target)
    if refusal.code in WAITING and not live:
        return command("apply", row.target)
    return ""
