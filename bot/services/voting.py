"""Who somebody is to an approval: asked of GitHub each time it matters, so that a lost permission is seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.domain.approval import Approval, Decision, Standing, Voter, named, newest, standing
from bot.domain.owners import PLACES, owned
from bot.domain.policy import PATH, Consent
from bot.domain.ports.forge import PullRequest, Review
from bot.domain.ports.store import Tables
from bot.errors import UserError
from bot.services.context import Context
from bot.services.targets import Ground

ANSWERS = {"approved": "approve", "changes_requested": "reject", "dismissed": "withdraw"}


def seen(tables: Tables, approval: Approval) -> Standing:
    """The approval as it stands by what was last known of everybody: from rows alone."""
    decisions = tables.approvals.decisions(approval.id)
    return standing(approval, decisions, [one.voter for one in newest(decisions).values()])


def voter(context: Context, approval: Approval, login: str) -> Voter:
    """What this person is now: the role, and which of the teams that matter here."""
    role = context.forge.role(approval.target.repository, login)
    groups = frozenset(
        team.lower()
        for team in _teams(approval)
        if login.lower() in (context.forge.members(team.lstrip("@")) or ())
    )
    return Voter(login, role, groups)


def changed(context: Context, approval: Approval, words: Iterable[Decision]) -> list[Decision]:
    """Those whose authors are not any more what they were when they answered, with what they are now."""
    given = [one for one in words if one.answer != "withdraw"]
    now = [(one, voter(context, approval, one.login)) for one in given]
    fresh = [(one, replace(one, role=who.role, groups=tuple(sorted(who.is_)))) for one, who in now]
    return [new for old, new in fresh if new != old]


def reviews(context: Context, approval: Approval) -> list[Decision]:
    """What GitHub's reviews say that is not known yet: those of the approval's commit, submitted after its plan was
    there, and after a rejection that stopped it before: whoever asks again wants words of their own."""
    with context.store.read() as tables:
        plan = tables.plans.get(approval.run_id)
        known = {one.id: one for one in tables.approvals.decisions(approval.id)}
        before = tables.approvals.of_pull(approval.target.repository, approval.pull)
    if plan is None:
        return []
    ends = [one.ended_at for one in before if (one.run_id, one.status) == (plan.run_id, "rejected")]
    since = max([plan.created_at, *(at for at in ends if at is not None)])
    found = []
    for review in context.forge.reviews(approval.target.repository, approval.pull):
        at = review.submitted_at
        if review.bot or at is None or review.commit != approval.commit or at < since:
            continue
        if review.state not in ANSWERS:
            continue
        word = _word(approval, review)
        have = known.get(word.id)
        if have is None or have.answer != word.answer:
            who = voter(context, approval, review.author)
            found.append(replace(word, role=who.role, groups=tuple(sorted(who.is_))))
    return found


def needs(
    context: Context, pull: PullRequest, stand: Ground, paths: Iterable[str]
) -> tuple[dict[str, object], ...]:
    """The code owners of changed paths, by the base branch's file. Raises UserError where they cannot be relied on."""
    place = next(
        (one for one in PLACES if context.git.read(pull.repository, stand.base_tip, one) is not None), None
    )
    if place is None:
        raise UserError(
            f"`{pull.base_ref}` has no CODEOWNERS file, so nobody can say who must approve.",
            next_step=f"Add `{PLACES[0]}`, or set `codeowners = false` in `envs/environments.toml`.",
        )
    if errors := context.forge.codeowners_errors(pull.repository, stand.base_tip):
        raise UserError(
            f"GitHub finds {len(errors)} error{'s' if len(errors) > 1 else ''} in `{place}`, so nobody can say who must "
            f"approve: {errors[0][:300]}",
            next_step=f"Mend it on `{pull.base_ref}`.",
        )
    return owned(context.git.read(pull.repository, stand.base_tip, place) or b"", paths, place)


def known(context: Context, consent: Consent, environment: str) -> None:
    """Raises UserError where GitHub does not show a team whose approvals the policy counts: it would wait for nobody."""
    for team in consent.teams:
        if context.forge.members(team) is None:
            raise UserError(
                f"GitHub does not show me the team `{team}`, whose approval `{environment}` needs: it was renamed or "
                "deleted, or the App may not read members.",
                next_step=f"Mend `approvals` of `{environment}` in `{PATH}`.",
            )


def excluded(context: Context, pull: PullRequest, requester: str) -> tuple[str, ...]:
    """Logins (lower case) whose own change this is: who asked, who opened the pull request, the commit's authors."""
    authors = context.forge.authors(pull.repository, pull.head_sha)
    return tuple(sorted({name.lower() for name in (requester, pull.author, *authors) if name}))


def asked(context: Context, approval: Approval) -> tuple[str, ...]:
    """Logins (lower case) of those whose approval is wanted by name or by team; empty where anybody will do."""
    names = {name.lower() for one in approval.owners for name in one["any_of"]} | {
        name.lower() for name in named(approval)
    }
    people = {name.lstrip("@") for name in names if "/" not in name}
    for team in sorted(name for name in names if "/" in name):
        people |= context.forge.members(team.lstrip("@")) or frozenset()
    return tuple(sorted(people - set(approval.excluded)))


def _teams(approval: Approval) -> set[str]:
    names = {name for one in approval.owners for name in one["any_of"]} | set(named(approval))
    return {name for name in names if "/" in name}


def _word(approval: Approval, review: Review) -> Decision:
    at = review.submitted_at
    if at is None:
        raise ValueError("a review that was not submitted")
    return Decision(
        id=f"review:{review.id}:{approval.id}",
        approval_id=approval.id,
        login=review.author,
        answer=ANSWERS[review.state],  # type: ignore[arg-type]
        reason=review.body.strip()[:500],
        via="github",
        at=at,
    )
