"""What is done of people's words once they are in: the record, the end by a rejection, and that nothing is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.domain.approval import Approval, Decision, Standing, may, newest, wanted
from bot.domain.gates import command
from bot.domain.people import Actor
from bot.domain.ports.forge import PullRequest, Review
from bot.domain.ports.store import Tables
from bot.domain.results import Noted
from bot.domain.run import Origin
from bot.domain.words import outside
from bot.services import voting
from bot.services.approving import call, end, shown
from bot.services.auditing import record
from bot.services.context import Context
from bot.services.targets import Ground


def listen(context: Context, approval: Approval) -> Standing | None:
    """Take over what GitHub's reviews say of it. None where they say nothing new, or it is over meanwhile.

    The words are kept in the transaction of what follows from them: a crash between the two would leave words that
    nobody looks at again.
    """
    seen = voting.reviews(context, approval)
    too_early(context, approval, seen.early)
    if not seen.words:
        return None
    others = voting.others(context, approval, {one.login.lower() for one in seen.words})
    with context.store.begin() as tables:
        have = _live(tables, approval)
        if have is None:
            return None
        words = [one for one in seen.words if tables.approvals.decide(one)]
        for one in others:
            tables.approvals.decide(one)
        return heard(context, tables, have, words) if words else None


def too_early(context: Context, approval: Approval, reviews: Sequence[Review]) -> None:
    """Tell those whose approving review does not count that it does not, and what does; once for each review."""
    if not reviews:
        return
    newest = {one.author: one for one in sorted(reviews, key=lambda one: one.id)}
    answers = [(author, Origin(delivery=f"review:{one.id}")) for author, one in newest.items()]
    with context.store.read() as tables:
        new = [one for one in answers if tables.surfaces.get(f"reply:{one[1].id}") is None]
    mine = [one for one in new if may(approval, voting.voter(context, approval, one[0])) is None]
    if not mine:
        return
    target = approval.target
    with context.store.begin() as tables:
        for author, origin in mine:
            context.tell(
                tables,
                origin,
                target.repository,
                approval.pull,
                Noted(
                    f"@{author}: your approving review of `{approval.commit[:7]}` does not count for the "
                    f"{approval.what}, since it was given before its plan was there to read (or in the same second).",
                    f"Read the plan, then `{command('approve', target)}`, or approve once more in a review.",
                    "warning",
                ),
            )
    context.poke()


def refresh(context: Context, approval: Approval, pull: PullRequest, stand: Ground) -> None:
    """Let it stand as it does now: the code owners, GitHub's reviews of its commit, what everybody who answered may do.
    Raises UserError where the code owners cannot be relied on."""
    renew(context, approval, pull, stand)
    listen(context, approval)
    if changed := voting.others(context, approval):
        with context.store.begin() as tables:
            if have := _live(tables, approval):
                _judge_anew(context, tables, have, changed)


def renew(context: Context, approval: Approval, pull: PullRequest, stand: Ground) -> None:
    """Whoever owns what is changed by the base branch's file of now is who must agree, also where it was asked for by
    another one; those who are asked only now are told. Raises UserError where the file cannot be relied on."""
    environment = stand.policy.environments.get(approval.target.environment)
    if environment is None:
        return  # the gates refuse
    with context.store.read() as tables:
        back = tables.plans.get(approval.run_id) if approval.reverts else None
    owners = voting.owners(context, pull, stand, environment, back)
    if owners == approval.owners:
        return
    now = replace(approval, owners=owners)
    changed = voting.others(context, now)  # they may be of a team that was not asked for before
    with context.store.begin() as tables:
        have = _live(tables, approval)
        if have is None:
            return
        tables.approvals.update(approval.id, owners=owners)
        record(
            context,
            tables,
            "approval.owners",
            target=approval.target,
            pull=approval.pull,
            run_id=approval.run_id,
            approval=approval.id,
            wanted=wanted(now),
        )
        _judge_anew(context, tables, replace(have, owners=owners), changed)
    call(context, now)


def _live(tables: Tables, approval: Approval) -> Approval | None:
    """The row as it is, with nobody else at its target until this transaction ends; None where it is over."""
    tables.locks.alone(approval.target)
    have = tables.approvals.get(approval.id)
    return have if have is not None and have.live else None


def _judge_anew(context: Context, tables: Tables, approval: Approval, changed: list[Decision]) -> None:
    for one in changed:
        tables.approvals.decide(one)
    heard(context, tables, approval, [])


def heard(context: Context, tables: Tables, approval: Approval, words: list[Decision]) -> Standing:
    """New words are in: a rejection ends it; when nothing is missing any more, people are told once."""
    for word in words:
        record(
            context,
            tables,
            "approval.decided",
            Actor(word.login, via=word.via),
            target=approval.target,
            pull=approval.pull,
            run_id=approval.run_id,
            approval=approval.id,
            answer=word.answer,
            reason=word.reason,
            plan=approval.plan_digest,
            role=word.role,
            decision=word.id,
        )
    decisions = tables.approvals.decisions(approval.id)
    standing = voting.judged(approval, decisions)
    no = _rejection(decisions, approval, standing)
    if no is not None:
        because = f": {outside(no.reason)}" if no.reason else ""
        end(context, tables, approval, "rejected", f"@{no.login} rejected it{because}")
        _tell(
            context,
            tables,
            approval,
            "rejected",
            f"@{no.login} rejected the {approval.what}{because}.",
        )
    elif not standing.missing.complete and approval.ready_at is not None:
        tables.approvals.update(approval.id, ready_at=None)
    elif standing.missing.complete and approval.ready_at is None:
        tables.approvals.update(approval.id, ready_at=context.now())
        if not approval.when_approved:
            _tell(
                context,
                tables,
                approval,
                "ready",
                f"{approval.actor.name}: the {approval.what} is approved.",
                f"`{command(approval.word, approval.target)}`",
                tone="good",
            )
    shown(context, tables, approval)
    return standing


def _rejection(decisions: Sequence[Decision], approval: Approval, standing: Standing) -> Decision | None:
    """Somebody's newest word that stops it: of those who may write, or of whoever asked."""
    if standing.rejected:
        return standing.rejected[0]
    asker = newest(decisions).get(approval.actor.login.lower())
    return asker if asker is not None and asker.answer == "reject" else None


def _tell(
    context: Context,
    tables: Tables,
    approval: Approval,
    what: str,
    text: str,
    next_step: str = "",
    tone: Any = "warning",
) -> None:
    """Say it on the pull request, once."""
    origin = Origin(delivery=f"approval:{approval.id}:{what}")
    context.tell(tables, origin, approval.target.repository, approval.pull, Noted(text, next_step, tone))
