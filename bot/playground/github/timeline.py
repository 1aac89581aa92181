"""The timeline of a pull request, as the playground's page and the tour show it."""

from __future__ import annotations

from datetime import datetime

from bot.playground.github.records import (
    Check,
    Comment,
    Deployment,
    Event,
    Pull,
    Push,
    Review,
    Status,
)
from bot.playground.github.state import State
from bot.playground.github.timeline_entries import (
    CheckEntry,
    CommentEntry,
    CommitsEntry,
    CommitTitle,
    DeploymentEntry,
    DeploymentStatus,
    Entry,
    EventEntry,
    OpenedEntry,
    ReviewEntry,
    StatusEntry,
)


def timeline(state: State, pull: Pull) -> list[Entry]:
    """Return all entries, oldest first. Edited comments and checks stay where they were created."""
    with state.lock:
        shas, repo = pull.shas, pull.repo
        found: list[Entry] = [_opened(pull)]
        found += [_event(event) for event in pull.events]
        found += [_commits(push) for push in pull.pushes]
        found += [_comment(c) for c in state.comments.values() if (c.repo, c.number) == (repo, pull.number)]
        found += [_review(review) for review in state.reviews.values() if review.pull is pull]
        found += [_check(c) for c in state.checks.values() if c.repo is repo and c.head_sha in shas]
        found += [_status(s) for s in state.statuses.values() if s.repo is repo and s.sha in shas]
        found += [_deployment(d) for d in state.deployments.values() if d.repo is repo and d.sha in shas]
    return sorted(found, key=lambda entry: entry["id"])


def _at(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _opened(pull: Pull) -> OpenedEntry:
    return OpenedEntry(
        id=pull.id,
        kind="opened",
        at=_at(pull.created_at),
        actor=pull.author.login,
        number=pull.number,
        title=pull.title,
        body=pull.body,
        head=pull.head_ref,
        base=pull.base_ref,
        from_fork=pull.head_repo is not pull.repo,
    )


def _event(event: Event) -> EventEntry:
    return EventEntry(
        id=event.id, kind=event.kind, at=_at(event.at), actor=event.actor.login, detail=event.detail
    )


def _commits(push: Push) -> CommitsEntry:
    return CommitsEntry(
        id=push.id,
        kind="commits",
        at=_at(push.at),
        actor=push.actor.login,
        head=push.head,
        forced=push.forced,
        commits=[CommitTitle(sha=sha, title=title) for sha, title in push.commits],
    )


def _comment(comment: Comment) -> CommentEntry:
    reactions: dict[str, list[str]] = {}
    for reaction in comment.reactions:
        reactions.setdefault(reaction.content, []).append(reaction.user.login)
    return CommentEntry(
        id=comment.id,
        kind="comment",
        at=_at(comment.created_at),
        actor=comment.author.login,
        bot=comment.author.type == "Bot",
        body=comment.body,
        edits=comment.edits,
        edited_at=_at(comment.updated_at) if comment.edits else None,
        minimised=comment.minimised,
        reactions=reactions,
    )


def _review(review: Review) -> ReviewEntry:
    return ReviewEntry(
        id=review.id,
        kind="review",
        at=_at(review.submitted_at),
        actor=review.author.login,
        state=review.state,
        body=review.body,
        commit=review.commit,
    )


def _check(check: Check) -> CheckEntry:
    return CheckEntry(
        id=check.id,
        kind="check",
        at=_at(check.started_at),
        actor=check.app.bot.login,
        name=check.name,
        commit=check.head_sha,
        status=check.status,
        conclusion=check.conclusion,
        title=check.output.get("title") or "",
        summary=check.output.get("summary") or "",
        text=check.output.get("text") or "",
        url=check.details_url,
        actions=check.actions,
        annotations=check.annotations,
    )


def _status(status: Status) -> StatusEntry:
    return StatusEntry(
        id=status.id,
        kind="status",
        at=_at(status.created_at),
        actor=status.creator.login,
        name=status.context,
        commit=status.sha,
        state=status.state,
        description=status.description or "",
        url=status.target_url or "",
    )


def _deployment(deployment: Deployment) -> DeploymentEntry:
    states = [
        DeploymentStatus(
            state=one.state,
            description=one.description,
            log_url=one.log_url,
            environment_url=one.environment_url,
            at=_at(one.created_at),
        )
        for one in deployment.states
    ]
    return DeploymentEntry(
        id=deployment.id,
        kind="deployment",
        at=_at(deployment.created_at),
        actor=deployment.creator.login,
        environment=deployment.environment,
        commit=deployment.sha,
        state=states[-1]["state"] if states else "pending",
        states=states,
    )
