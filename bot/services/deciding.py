"""What people answer to an approval, by a click, a command or a review: one record, judged on the server each time."""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.approval import Answer, Approval, Decision, may, wanted
from bot.domain.gates import command
from bot.domain.people import Actor, reaches
from bot.domain.ports.store import Tables
from bot.domain.results import Noted, Result
from bot.domain.run import Origin
from bot.services import voting
from bot.services.applying import go_on
from bot.services.approving import end, moved, over
from bot.services.context import Context, stable_id
from bot.services.hearing import heard, listen


def answer(
    context: Context,
    approval: Approval,
    actor: Actor,
    said: Answer,
    *,
    reason: str,
    origin: Origin,
    digest: str = "",
    typed: str = "",
) -> Result:
    """One person's word, given by a click or a command. Permission is asked of GitHub now, whatever was shown before.

    digest: of the plan that the person saw (a prefix), "" where the newest one is meant. typed: what was typed where
    the environment's name is asked for.
    """
    where, now = approval.target.environment, context.now()
    word_id = f"{stable_id(origin.delivery, origin.index)}:{approval.id}"
    with context.store.read() as tables:
        given = next((one for one in tables.approvals.decisions(approval.id) if one.id == word_id), None)
    if given is not None:  # entered again after a crash
        return _said(context, approval, actor, given.answer)
    with context.store.begin() as tables:
        _expire(context, tables, approval)
    approval = _again(context, approval)
    if no := _over(approval, digest):
        return no
    if approval.status == "planning" and said == "approve":
        return Refused("planning", "Its plan is still being made.", "Read it when it is there, then approve.")
    pull = context.refresh(approval.target.repository, approval.pull)
    with context.store.begin() as tables:
        moved(context, tables, pull)
    if no := _over(_again(context, approval), digest):
        return no
    who = voting.voter(context, approval, actor.login)
    if said == "approve":
        if no := may(approval, who):
            return no
        if approval.destroys and typed != where:
            return Refused(
                "typed",
                f"This destroys or replaces {approval.destroys} resource{'s' if approval.destroys > 1 else ''}: name "
                "the environment to approve it.",
                f"`{command('approve', approval.target)}`",
            )
    elif not reaches(who.role, "write") and actor.login.lower() != approval.actor.login.lower():
        return Refused(
            "permission",
            f"To reject you need the `write` role; you have `{who.role}`.",
            "Say it in a comment.",
        )
    word = Decision(
        id=word_id,
        approval_id=approval.id,
        login=actor.login,
        answer=said,
        reason=reason.strip()[:500],
        via=actor.via,
        at=now,
        role=who.role,
        groups=tuple(sorted(who.is_)),
    )
    with context.store.begin() as tables:
        tables.locks.alone(approval.target)
        _expire(context, tables, approval)  # asking GitHub took its time
        have = tables.approvals.get(approval.id)
        no = _over(have, digest)
        if have is not None and no is None:
            tables.approvals.decide(word)
            heard(context, tables, have, [word])
    context.poke()
    return no or _said(context, approval, actor, said)


def _said(context: Context, approval: Approval, actor: Actor, said: Answer) -> Result:
    """What somebody hears whose word is in; and on it goes, where that was all it needed."""
    if said == "reject":
        return Noted(f"{approval.target}: rejected by {actor.name}.", "Nothing is applied.", "warning")
    with context.store.read() as tables:
        have = tables.approvals.get(approval.id) or approval
        standing = voting.seen(tables, have)
    if standing.missing.complete:
        if have.when_approved:
            go_on(context, have)
        return Noted(f"{approval.target}: approved by {actor.name}; that is all it needed.", tone="good")
    return Noted(
        f"{approval.target}: approved by {actor.name}.",
        f"Still needed: {wanted(approval, standing.missing)}.",
        "good",
    )


def reviewed(context: Context, repository: str, number: int) -> list[Approval]:
    """A review was given or dismissed on GitHub. Returns the approvals that are complete now."""
    with context.store.read() as tables:
        live = [one for one in tables.approvals.of_pull(repository, number) if one.status == "open"]
    complete = []
    for approval in live:
        standing = listen(context, approval)
        if standing is not None and standing.missing.complete:
            complete.append(approval)
    context.poke()
    return complete


def _over(approval: Approval | None, digest: str) -> Refused | None:
    """Why nobody can answer this any more."""
    if approval is None:
        return Refused("approval-over", "This approval is gone.", "Look at the pull request.")
    if no := over(approval):
        return no
    if digest and not approval.plan_digest.startswith(digest):
        return Refused(
            "approval-over", f"That was another plan for {approval.target}.", "Read the newest one."
        )
    return None


def _expire(context: Context, tables: Tables, approval: Approval) -> None:
    have = tables.approvals.get(approval.id)
    if have is not None and have.live and have.expired(context.now()):
        end(context, tables, have, "expired", "nobody completed it in time")


def _again(context: Context, approval: Approval) -> Approval:
    with context.store.read() as tables:
        return tables.approvals.get(approval.id) or approval
