"""What is done of people's words once they are in: the record, the end by a rejection, and that nothing is missing."""

from __future__ import annotations

from typing import Any

from bot.domain.approval import Approval, Decision, Standing, newest
from bot.domain.gates import command
from bot.domain.people import Actor
from bot.domain.ports.store import Tables
from bot.domain.results import Noted
from bot.domain.run import Origin
from bot.services import voting
from bot.services.approving import end, shown
from bot.services.auditing import record
from bot.services.context import Context


def listen(context: Context, approval: Approval) -> Standing | None:
    """Take over what GitHub's reviews say of it. None where they say nothing new, or it is over meanwhile.

    The words are kept in the transaction of what follows from them: a crash between the two would leave words that
    nobody looks at again.
    """
    found = voting.reviews(context, approval)
    if not found:
        return None
    with context.store.begin() as tables:
        tables.locks.alone(approval.target)
        have = tables.approvals.get(approval.id)
        if have is None or not have.live:
            return None
        words = [one for one in found if tables.approvals.decide(one)]
        return heard(context, tables, have, words) if words else None


def refresh(context: Context, approval: Approval) -> None:
    """Take over GitHub's reviews of the approval's commit, and ask anew what everybody who answered may do."""
    listen(context, approval)
    with context.store.read() as tables:
        words = newest(tables.approvals.decisions(approval.id)).values()
    if changed := voting.changed(context, approval, words):
        with context.store.begin() as tables:
            tables.locks.alone(approval.target)
            have = tables.approvals.get(approval.id)
            if have is None or not have.live:
                return
            for one in changed:
                tables.approvals.decide(one)
            heard(context, tables, have, [])


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
    standing = voting.seen(tables, approval)
    no = _rejection(tables, approval, standing)
    if no is not None:
        because = f": {no.reason}" if no.reason else ""
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


def _rejection(tables: Tables, approval: Approval, standing: Standing) -> Decision | None:
    """Somebody's newest word that stops it: of those who may write, or of whoever asked."""
    if standing.rejected:
        return standing.rejected[0]
    asker = newest(tables.approvals.decisions(approval.id)).get(approval.actor.login.lower())
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
