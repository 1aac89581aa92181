"""Who somebody is to an approval: asked of GitHub each time it matters, so that a lost permission is seen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.domain.approval import Answer, Approval, Decision, Standing, Voter, named, newest, standing
from bot.domain.gates import command
from bot.domain.owners import PLACES, owned
from bot.domain.policy import PATH, Consent, Environment
from bot.domain.ports.forge import PullRequest, Review
from bot.domain.ports.store import Tables
from bot.domain.run import Plan
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.context import Context
from bot.services.targets import Ground

ANSWERS: dict[str, Answer] = {"approved": "approve", "changes_requested": "reject", "dismissed": "withdraw"}


def seen(tables: Tables, approval: Approval) -> Standing:
    """The approval as it stands by what was last known of everybody: from rows alone."""
    return judged(approval, tables.approvals.decisions(approval.id))


def judged(approval: Approval, decisions: Sequence[Decision]) -> Standing:
    """The same of an approval whose decisions are read already."""
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


def others(context: Context, approval: Approval, but: Collection[str] = ()) -> list[Decision]:
    """The newest words of those who are not any more what they were when they answered, with what they are now; not of
    the logins `but` (lower case)."""
    with context.store.read() as tables:
        words = newest(tables.approvals.decisions(approval.id))
    given = [one for login, one in words.items() if one.answer != "withdraw" and login not in but]
    now = [(one, voter(context, approval, one.login)) for one in given]
    fresh = [(one, replace(one, role=who.role, groups=tuple(sorted(who.is_)))) for one, who in now]
    return [new for old, new in fresh if new != old]


@dataclass(frozen=True)
class Reviews:
    """What GitHub's reviews of an approval's commit say. words: those that count and are not known yet. early: approving
    ones that do not, since their author could not have read the plan."""

    words: tuple[Decision, ...] = ()
    early: tuple[Review, ...] = ()


def reviews(context: Context, approval: Approval) -> Reviews:
    """Those that count were submitted after the plan was there, and after a rejection that stopped it before: whoever
    asks again wants words of their own. GitHub tells whole seconds: within the plan's own, a no counts and a yes does
    not."""
    with context.store.read() as tables:
        plan = tables.plans.get(approval.run_id)
        known = {one.id: one for one in tables.approvals.decisions(approval.id)}
        before = tables.approvals.of_pull(approval.target.repository, approval.pull)
    ends = [one.ended_at for one in before if (one.run_id, one.status) == (approval.run_id, "rejected")]
    words, early = [], []
    for review in context.forge.reviews(approval.target.repository, approval.pull):
        at = review.submitted_at
        if review.bot or at is None or review.commit != approval.commit or review.state not in ANSWERS:
            continue
        word = _word(approval, review)
        if plan is None or at < _since(plan, word.answer):
            early += [review] if word.answer == "approve" else []
            continue
        have = known.get(word.id)
        if any(at < end for end in ends if end) or (have is not None and have.answer == word.answer):
            continue
        who = voter(context, approval, review.author)
        words.append(replace(word, role=who.role, groups=tuple(sorted(who.is_))))
    heard = {one.login.lower() for one in (*known.values(), *words)}
    return Reviews(tuple(words), tuple(one for one in early if one.author.lower() not in heard))


def _since(plan: Plan, answer: Answer) -> datetime:
    return plan.created_at if answer == "approve" else plan.created_at.replace(microsecond=0)


def owners(
    context: Context, pull: PullRequest, stand: Ground, environment: Environment, back: Plan | None = None
) -> tuple[dict[str, Any], ...]:
    """The code owners whose consent the environment's policy wants, as Approval has them. back: the plan of a revert,
    which changes other paths than the pull request. Raises UserError where they cannot be relied on."""
    if environment.consent is None or not environment.consent.codeowners:
        return ()
    between = (back.commit, back.base_commit) if back else (stand.base_tip, pull.head_sha)
    return _needs(context, pull, stand, context.git.changed(pull.repository, *between))


def _needs(
    context: Context, pull: PullRequest, stand: Ground, paths: Iterable[str]
) -> tuple[dict[str, Any], ...]:
    """The code owners of changed paths, by the base branch's file."""
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


def asked(context: Context, approval: Approval) -> tuple[str, ...]:
    """Logins (lower case) of those whose approval is wanted by name or by team; empty where anybody will do."""
    names = {name for one in approval.owners for name in one["any_of"]} | set(named(approval))
    return tuple(sorted(people(context, names) - set(approval.excluded)))


def people(context: Context, names: Iterable[str]) -> frozenset[str]:
    """Logins (lower case) of those whom owners' spellings name: `@ann`, `@acme/web`."""
    bare = {name.lstrip("@").lower() for name in names}
    found = {name for name in bare if "/" not in name}
    for team in sorted(bare - found):
        found |= context.forge.members(team) or frozenset()
    return frozenset(found)


def completable(
    context: Context,
    consent: Consent,
    owners: Iterable[dict[str, Any]],
    own: Collection[str],
    pull: PullRequest,
    target: Target,
) -> None:
    """Raises UserError where so few may approve, besides those whose own change it is, that it would wait for ever."""
    mine = f"whoever asked, opened #{pull.number} or wrote one of its commits may not approve"
    whom = [f"@{name.lstrip('@')}" for name in (*consent.teams, *consent.users)]
    if whom and len(able := people(context, whom) - set(own)) < consent.count:
        left = f"only {', '.join(f'@{name}' for name in sorted(able))} can" if able else "nobody can"
        raise UserError(
            f"`{target.environment}` needs {consent.count} approval{'s' if consent.count > 1 else ''} by "
            f"{' or '.join(whom)}, and {left}: {mine}.",
            next_step=f"Let somebody else comment `{command('apply', target)}`, or name more people under `approvals` of "
            f"`{target.environment}` in `{PATH}`.",
        )
    for one in owners:
        if not people(context, one["any_of"]) - set(own):
            raise UserError(
                f"Only {' or '.join(one['any_of'])} may approve as code owner of `{one['paths'][0]}`, and cannot: {mine}.",
                next_step=f"Let somebody else comment `{command('apply', target)}`, or name another owner in CODEOWNERS "
                f"on `{pull.base_ref}`.",
            )


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
        answer=ANSWERS[review.state],
        reason=review.body.strip()[:500],
        via="github",
        at=at,
    )
