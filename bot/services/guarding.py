"""How a guarded environment stands for a pull request: what its gates say now, whose consent is there, what is next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.approval import Standing
from bot.domain.freeze import coming, frozen
from bot.domain.gates import ApplyFacts, Source, ask, command
from bot.domain.policy import Policy
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.records import FollowUp
from bot.domain.ports.store import Tables
from bot.domain.promotion import PROMOTION, UNASKED, WAITING, answers
from bot.domain.results import TargetStatus
from bot.domain.target import Target
from bot.services import voting
from bot.services.context import Context
from bot.services.promoting import configuration_of, sources_of

AHEAD = timedelta(hours=24)
"""How far ahead a freeze is announced."""


@dataclass(frozen=True)
class Before:
    """What the rows tell of what stands before an apply at targets: the stage before, the consent, what is left to
    acknowledge. A target without any of them is in none."""

    sources: Mapping[Target, Source]
    consents: Mapping[Target, Standing]
    follow_ups: Mapping[Target, Sequence[FollowUp]]


def before(tables: Tables, policy: Policy, targets: Sequence[Target], pull: int) -> Before:
    """Read it of several targets of one repository (unguarded ones too: what loses data wants consent everywhere); the
    number of queries grows only with that of approvals."""
    left: dict[Target, list[FollowUp]] = {}
    for one in tables.follow_ups.open(targets[0].repository):
        left.setdefault(one.target, []).append(one)
    approvals = tables.approvals.newest_of(targets, pull) if pull else {}
    return Before(
        sources_of(tables, policy, targets, pull),
        {target: voting.seen(tables, approval) for target, approval in approvals.items()},
        left,
    )


def guard(
    context: Context, row: TargetStatus, policy: Policy, pull: PullRequest | None, rows: Before
) -> TargetStatus:
    """`row` with what stands before an apply there; as it is where nothing does."""
    environment, now = row.environment, context.now()
    row = replace(
        row,
        frozen=frozen(environment.windows, "apply", now),
        coming=coming(environment.windows, "apply", now, AHEAD),
    )
    losing = row.plan is not None and bool(row.plan.losses)
    if not environment.guarded and not environment.force and row.frozen is None and not losing:
        return row
    source, consent = rows.sources.get(row.target), rows.consents.get(row.target)
    row = replace(row, follow_ups=tuple(rows.follow_ups.get(row.target, ())), consent=consent)
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
        configuration=configuration_of(context, pull.repository, pull.head_sha, policy, row.target.stack)
        if source and source.release and source.release.commit == pull.head_sha
        else "",  # of another commit it does not matter, and a head just pushed is not in the mirror yet
        frozen=row.frozen,
        consent=consent if consent and consent.approval.live else None,
    )
    said = tuple(answers(PROMOTION, found))
    return replace(row, gates=said, blocked=ask(PROMOTION, found))


def next_step(row: TargetStatus) -> str:
    """The command that leads on from here in a guarded environment where nobody is at work; "" where another
    environment comes first, or only time helps."""
    no, consent = row.blocked, row.consent
    live = consent is not None and consent.approval.live
    if consent is not None and live and not consent.missing.complete:
        return command("approve", row.target) if consent.approval.status == "open" else ""
    if no is None or no.code in UNASKED:
        return command("apply", row.target)
    if no.code in WAITING and not live:
        return command("apply", row.target)
    return ""
