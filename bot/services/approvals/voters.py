"""Who may approve: read from GitHub each time it matters, so that a lost permission counts at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.approvals import (
    PLACES,
    Answer,
    Approval,
    ApprovalState,
    Decision,
    OwnerSet,
    Voter,
    approval_state_of,
    name_people,
    newest_decisions,
    owned_paths,
)
from bot.domain.policy import PATH, ApprovalRules, Environment
from bot.domain.ports.forge import PullRequest, Review
from bot.domain.ports.store import Tables
from bot.domain.run import Origin, Plan
from bot.domain.target import Target, command
from bot.domain.visibility import was_visible
from bot.errors import UserError
from bot.services.context import Context
from bot.services.targets import PullContext, default_tip
from bot.services.visibility import await_publication

ANSWERS: dict[str, Answer] = {"approved": "approve", "changes_requested": "reject", "dismissed": "withdraw"}


def approval_state(tables: Tables, approval: Approval) -> ApprovalState:
    """Return the approval's state by what was last known of everybody, from rows alone."""
    decisions = tables.approvals.decisions(approval.id)
    voters = [one.voter for one in newest_decisions(decisions).values()]
    return approval_state_of(without_pushers(tables, approval), decisions, voters)


def without_pushers(tables: Tables, approval: Approval) -> Approval:
    """Return the approval with all who are known by now to have pushed to its pull request among the excluded: webhooks
    may come after the approval was opened, and after the votes."""
    if not approval.others_only:
        return approval
    pushers = tables.pushers.of_pull(approval.target.repository, approval.pull)
    return replace(approval, excluded=tuple(sorted({*approval.excluded, *pushers})))


def voter_of(context: Context, approval: Approval, login: str) -> Voter:
    """Read a person's current role and their membership of the teams that matter to this approval."""
    role = context.forge.role(approval.target.repository, login)
    groups = frozenset(
        team.lower()
        for team in _teams(approval)
        if login.lower() in (context.forge.members(team.lstrip("@")) or ())
    )
    return Voter(login, role, groups)


def decisions_reread(context: Context, approval: Approval, but: Collection[str] = ()) -> list[Decision]:
    """Return the latest decisions of people whose role or teams changed since, with the current ones. Skips the logins in
    `but` (lower case)."""
    with context.store.read() as tables:
        decisions = newest_decisions(tables.approvals.decisions(approval.id))
    given = [one for login, one in decisions.items() if one.answer != "withdraw" and login not in but]
    now = [(one, voter_of(context, approval, one.login)) for one in given]
    fresh = [(one, replace(one, role=who.role, groups=tuple(sorted(who.owner_names)))) for one, who in now]
    return [new for old, new in fresh if new != old]


@dataclass(frozen=True)
class Reviews:
    """GitHub's reviews of an approval's commit. decisions: those that count and are new. early: approving reviews that do
    not count, since their author could not have read the plan."""

    decisions: tuple[Decision, ...] = ()
    early: tuple[Review, ...] = ()


def new_reviews(context: Context, approval: Approval) -> Reviews:
    """Read the reviews. A review counts if it was submitted after the plan was shown on GitHub, and after any rejection
    that ended an earlier request: a new request needs new reviews. All times are GitHub's, in whole seconds: within the
    same second a rejection counts and an approval does not."""
    with context.store.read() as tables:
        plan = tables.plans.get(approval.run_id)
        known = {one.id: one for one in tables.approvals.decisions(approval.id)}
        rejected = rejected_at(tables, approval)
    decisions, early = [], []
    for review in context.forge.reviews(approval.target.repository, approval.pull):
        at = review.submitted_at
        if review.bot or at is None or review.commit != approval.commit or review.state not in ANSWERS:
            continue
        decision = _decision(approval, review)
        shown = plan.published_at if plan else None
        if plan is not None and shown is None:
            await_publication(context, plan, Origin())
        if shown is None or not _counts(at, shown, decision.answer):
            early += [review] if decision.answer == "approve" else []
            continue
        recorded = known.get(decision.id)
        if (rejected is not None and not was_visible(rejected, at)) or (
            recorded is not None and recorded.answer == decision.answer
        ):
            continue
        who = voter_of(context, approval, review.author)
        decisions.append(replace(decision, role=who.role, groups=tuple(sorted(who.owner_names))))
    decided = {one.login.lower() for one in (*known.values(), *decisions)}
    return Reviews(tuple(decisions), tuple(one for one in early if one.author.lower() not in decided))


def _counts(at: datetime, shown: datetime, answer: Answer) -> bool:
    """Whether a review of that time is about a plan that was shown then."""
    return was_visible(shown, at) if answer == "approve" else at >= shown.replace(microsecond=0)


def rejected_at(tables: Tables, approval: Approval) -> datetime | None:
    """Return when the last rejection of the same plan was given that ended an earlier request; None if there is none."""
    before = tables.approvals.of_pull(approval.target.repository, approval.pull)
    ended = [one for one in before if (one.run_id, one.status) == (approval.run_id, "rejected")]
    given = (decision for one in ended for decision in tables.approvals.decisions(one.id))
    return max((one.at for one in given if one.answer == "reject"), default=None)


def code_owners(
    context: Context,
    pull_context: PullContext,
    environment: Environment,
    other_plan: Plan | None = None,
) -> tuple[OwnerSet, ...]:
    """Return the code owners whose approval the policy requires. other_plan: that of a revert or of a sync, which changes
    other paths than the pull request. Raises UserError if they cannot be determined."""
    pull = pull_context.pull
    if environment.approval_rules is None or not environment.approval_rules.codeowners:
        return ()
    between = (pull_context.base_tip, pull.head_sha)
    if other_plan is not None:
        between = (other_plan.commit, other_plan.base_commit)
        if other_plan.sync:
            between = (other_plan.base_commit, other_plan.commit)
    return _needs(context, pull_context, context.git.changed(pull.repository, *between))


def _needs(context: Context, pull_context: PullContext, paths: Iterable[str]) -> tuple[OwnerSet, ...]:
    """Return the code owners of changed paths, by the default branch's CODEOWNERS: who can write to another base branch
    must not choose who approves."""
    repository = pull_context.pull.repository
    default, tip = default_tip(context, pull_context)
    path = next((one for one in PLACES if context.git.read(repository, tip, one) is not None), None)
    if path is None:
        raise UserError(
            f"`{default}` has no CODEOWNERS file, so the required approvers are unknown.",
            next_step=f"Add `{PLACES[0]}`, or set `codeowners = false` in `envs/environments.toml`.",
        )
    if errors := context.forge.codeowners_errors(repository, tip):
        raise UserError(
            f"GitHub finds {len(errors)} error{'s' if len(errors) > 1 else ''} in `{path}`, so the required approvers are "
            f"unknown: {errors[0][:300]}",
            next_step=f"Fix it on `{default}`.",
        )
    return owned_paths(context.git.read(repository, tip, path) or b"", paths, path)


def check_teams_exist(context: Context, rules: ApprovalRules, environment: str) -> None:
    """Raise UserError if a team whose approvals the policy counts is not visible: the approval would wait for nobody."""
    for team in rules.teams:
        if context.forge.members(team) is None:
            raise UserError(
                f"Team `{team}`, whose approval `{environment}` needs, is not visible on GitHub: it was renamed or "
                "deleted, or the App may not read members.",
                next_step=f"Fix `approvals` of `{environment}` in `{PATH}`.",
            )


def people_to_ask(context: Context, approval: Approval) -> tuple[str, ...]:
    """Return the logins (lower case) of those whose approval is required by name or team; empty if anybody's counts."""
    names = {name for one in approval.owners for name in one["any_of"]} | set(name_people(approval))
    return tuple(sorted(people(context, names) - set(approval.excluded)))


def people(context: Context, names: Iterable[str]) -> frozenset[str]:
    """Return the logins (lower case) of people and team members named like `@ann` or `@acme/web`."""
    bare = {name.lstrip("@").lower() for name in names}
    found = {name for name in bare if "/" not in name}
    for team in sorted(bare - found):
        found |= context.forge.members(team) or frozenset()
    return frozenset(found)


def check_completable(
    context: Context,
    rules: ApprovalRules,
    owners: Iterable[OwnerSet],
    own: Collection[str],
    pull: PullRequest,
    target: Target,
) -> None:
    """Raise UserError if the approval can never complete, since too few people other than the authors may approve."""
    barred = f"whoever requested the apply, opened #{pull.number}, or wrote or pushed one of its commits may not approve"
    whom = [f"@{name.lstrip('@')}" for name in (*rules.teams, *rules.users)]
    if whom and len(able := people(context, whom) - set(own)) < rules.count:
        left = f"only {', '.join(f'@{name}' for name in sorted(able))} can" if able else "nobody can"
        raise UserError(
            f"`{target.environment}` needs {rules.count} approval{'s' if rules.count > 1 else ''} by "
            f"{' or '.join(whom)}, and {left}: {barred}.",
            next_step=f"Ask somebody else to comment `{command('apply', target)}`, or name more people under `approvals` of "
            f"`{target.environment}` in `{PATH}`.",
        )
    for one in owners:
        if not people(context, one["any_of"]) - set(own):
            raise UserError(
                f"Only {' or '.join(one['any_of'])} may approve as code owner of `{one['paths'][0]}`, and cannot: {barred}.",
                next_step=f"Ask somebody else to comment `{command('apply', target)}`, or name another owner in CODEOWNERS "
                f"on `{context.known(pull.repository).default_branch}`.",
            )


def _teams(approval: Approval) -> set[str]:
    names = {name for one in approval.owners for name in one["any_of"]} | set(name_people(approval))
    return {name for name in names if "/" in name}


def _decision(approval: Approval, review: Review) -> Decision:
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
