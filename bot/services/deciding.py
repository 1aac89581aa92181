"""What people answer to an approval, by a click, a command or a review: one record, judged on the server each time."""

from __future__ import annotations

import structlog

from bot.domain.answers import Refused
from bot.domain.approval import Answer, Approval, Decision, Standing, may, wanted
from bot.domain.gates import command
from bot.domain.people import Actor, reaches
from bot.domain.ports.forge import ForgeError, PullRequest
from bot.domain.ports.store import Tables
from bot.domain.results import Noted, Result
from bot.domain.run import Origin
from bot.errors import UserError
from bot.services import hearing, voting
from bot.services.applying import go_on
from bot.services.approving import end, moved, outrun, over
from bot.services.context import Context, stable_id
from bot.services.hearing import heard, listen, too_early
from bot.services.targets import Ground, base_tip, readable_policy

log = structlog.get_logger()

FRESH = 60.0
"""Seconds for which the policy that was read last tells well enough whether code owners are asked for."""


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
    with context.store.read() as tables:
        before = given(tables, approval, origin)
        approval = tables.approvals.get(approval.id) or approval
        standing = voting.seen(tables, approval)
    if before is not None:  # entered again after a crash
        return _said(context, standing, actor, before.answer)
    approval = _as_of_now(context, approval)
    if no := _over(approval, digest):
        return no
    if approval.status == "planning" and said == "approve":
        return Refused(
            "planning",
            f"The plan for {approval.target} is still being made: nobody can have read it.",
            f"Read it when it is there, then `{command('approve', approval.target)}`.",
        )
    pull = context.refresh(approval.target.repository, approval.pull)
    approval = _as_of_now(context, approval, pull)
    if no := _over(approval, digest):
        return no
    others: list[Decision] = []
    if said == "approve":
        approval = _owners_of_now(context, approval, pull)
    who = voting.voter(context, approval, actor.login)
    if said == "approve":
        if approval.ready_at is None:  # where it is ready already, its apply asks who they are
            others = voting.others(context, approval, {actor.login.lower()})
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
            f"To reject you need the `write` role; you have {'no access' if who.role == 'none' else f'`{who.role}`'}.",
            f"Ask somebody who has it to comment `{command('reject', approval.target)} <reason>`.",
        )
    word = Decision(
        id=_word_id(approval, origin),
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
        have = tables.approvals.get(approval.id)
        if have is not None and _expire(context, tables, have):  # asking GitHub took its time
            have = tables.approvals.get(approval.id)
        no = _over(have, digest)
        if have is not None and no is None:
            for one in (*others, word):
                tables.approvals.decide(one)
            standing = heard(context, tables, have, [word])
    context.poke()
    return no or _said(context, standing, actor, said)


def given(tables: Tables, approval: Approval, origin: Origin) -> Decision | None:
    """What was kept of the word that a click or a command gave."""
    mine = _word_id(approval, origin)
    return next((one for one in tables.approvals.decisions(approval.id) if one.id == mine), None)


def _word_id(approval: Approval, origin: Origin) -> str:
    return f"{stable_id(origin.delivery, origin.index)}:{approval.id}"


def _said(context: Context, standing: Standing, actor: Actor, said: Answer) -> Result:
    """What somebody hears whose word is in; and on it goes, where that was all it needed."""
    approval = standing.approval
    if said == "reject":
        return Noted(f"{approval.target}: rejected by {actor.name}.", "Nothing is applied.", "warning")
    if standing.missing.complete:
        if approval.when_approved and (why := _goes_on(context, approval)):
            return Noted(
                f"{approval.target}: approved by {actor.name}; that is all it needed. It does not apply yet: {why.what}",
                why.next_step,
                "warning",
            )
        return Noted(f"{approval.target}: approved by {actor.name}; that is all it needed.", tone="good")
    return Noted(
        f"{approval.target}: approved by {actor.name}.",
        f"Still needed: {wanted(approval, standing.missing)}.",
        "good",
    )


def _goes_on(context: Context, approval: Approval) -> UserError | None:
    """Apply it, if its gates let it; the word is in whatever comes of that, and the clock tries again."""
    try:
        go_on(context, approval)
    except UserError as error:
        return error
    except ForgeError as error:
        if error.retry_after is not None:
            raise
        log.warning("GitHub refused", approval=approval.id, status=error.status, error=str(error)[:300])
        return UserError(
            f"GitHub answered {error.status} when I looked at #{approval.pull}.",
            next_step="I try again every few seconds.",
        )
    return None


def reviewed(context: Context, repository: str, number: int) -> list[Approval]:
    """A review was given or dismissed on GitHub. Returns the approvals that are complete now."""
    with context.store.read() as tables:
        live = [one for one in tables.approvals.of_pull(repository, number) if one.live]
    complete = []
    for approval in live:
        if approval.status == "planning":
            too_early(context, approval, voting.reviews(context, approval).early)
            continue
        try:
            _owners_of_now(context, approval, context.refresh(repository, number))
        except UserError as error:  # the word is kept all the same; the gates will not let it pass
            log.warning("the code owners cannot be relied on", approval=approval.id, error=str(error)[:300])
        standing = listen(context, _again(context, approval))
        if standing is not None and standing.missing.complete:
            complete.append(approval)
    context.poke()
    return complete


def _owners_of_now(context: Context, approval: Approval, pull: PullRequest) -> Approval:
    """Judge by the code owners of now, where the policy wants them. Raises UserError where they cannot be relied on."""
    policy = readable_policy(context, pull.repository, FRESH)
    environment = policy.environments.get(approval.target.environment) if policy else None
    consent = environment.consent if environment else None
    if policy is not None and consent is not None and (consent.codeowners or approval.owners):
        hearing.renew(context, approval, pull, Ground(policy, base_tip(context, pull)))
        return _again(context, approval)
    return approval


def _over(approval: Approval | None, digest: str) -> Refused | None:
    """Why nobody can answer this any more."""
    if approval is None:
        return Refused(
            "approval-over", "This request for an approval is gone.", "`/status` shows what there is now."
        )
    if no := over(approval):
        return no
    if digest and not approval.plan_digest.startswith(digest):
        return Refused(
            "approval-over",
            f"That was another plan for {approval.target} than the one that waits for approval now.",
            f"Read the newest one, then `{command('approve', approval.target)}`.",
        )
    return None


def _as_of_now(context: Context, approval: Approval, pull: PullRequest | None = None) -> Approval:
    """The same, ended where its time is over or, with `pull`, where that is not what it is for any more."""
    if not approval.live or not (approval.expired(context.now()) or (pull and outrun(approval, pull))):
        return approval
    with context.store.begin() as tables:
        if pull is not None:
            moved(context, tables, pull)
        have = tables.approvals.get(approval.id) or approval
        _expire(context, tables, have)
        return tables.approvals.get(approval.id) or approval


def _expire(context: Context, tables: Tables, approval: Approval) -> bool:
    """End it where its time is over; False where it is not."""
    if not approval.live or not approval.expired(context.now()):
        return False
    end(context, tables, approval, "expired", "nobody completed it in time")
    return True


def _again(context: Context, approval: Approval) -> Approval:
    with context.store.read() as tables:
        return tables.approvals.get(approval.id) or approval
