"""A pull request's story, in order, as the playground's page shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.playground.github.records import Check, Comment, Deployment, Pull, Status
from bot.playground.github.state import State
from bot.playground.github.views import stamp

Entry = dict[str, Any]


def timeline(state: State, pull: Pull) -> list[Entry]:
    """All that happened, oldest first. Every entry has `id`, `kind`, `at` (ISO 8601, UTC) and `actor`.

    kinds: opened, commits, comment, review, check, status, deployment, closed, reopened, merged,
    converted_to_draft, ready_for_review. Edited things stay where they began.
    """
    with state.lock:
        shas, repo = pull.shas, pull.repo
        found = [_opened(pull), *(_event(one) for one in pull.events), *_commits(pull)]
        found += [_comment(c) for c in state.comments.values() if (c.repo, c.number) == (repo, pull.number)]
        found += [
            _entry(
                "review", r.id, r.submitted_at, r.author.login, state=r.state, body=r.body, commit=r.commit
            )
            for r in state.reviews.values()
            if r.pull is pull
        ]
        found += [_check(c) for c in state.checks.values() if c.repo is repo and c.head_sha in shas]
        found += [_status(s) for s in state.statuses.values() if s.repo is repo and s.sha in shas]
        found += [_deployment(d) for d in state.deployments.values() if d.repo is repo and d.sha in shas]
    return sorted(found, key=lambda entry: int(entry["id"]))


def _entry(kind: str, record: int, at: datetime, actor: str, **more: Any) -> Entry:
    return {"id": record, "kind": kind, "at": stamp(at), "actor": actor, **more}


def _opened(pull: Pull) -> Entry:
    return _entry(
        "opened",
        pull.id,
        pull.created_at,
        pull.author.login,
        number=pull.number,
        title=pull.title,
        body=pull.body,
        head=pull.head_ref,
        base=pull.base_ref,
        from_fork=pull.head_repo is not pull.repo,
    )


def _event(one: Any) -> Entry:
    return _entry(one.kind, one.id, one.at, one.actor.login, detail=one.detail)


def _commits(pull: Pull) -> list[Entry]:
    return [
        _entry(
            "commits",
            push.id,
            push.at,
            push.actor.login,
            head=push.head,
            forced=push.forced,
            commits=[{"sha": sha, "title": title} for sha, title in push.commits],
        )
        for push in pull.pushes
    ]


def _comment(one: Comment) -> Entry:
    reactions: dict[str, list[str]] = {}
    for reaction in one.reactions:
        reactions.setdefault(reaction.content, []).append(reaction.user.login)
    return _entry(
        "comment",
        one.id,
        one.created_at,
        one.author.login,
        bot=one.author.type == "Bot",
        body=one.body,
        edits=one.edits,
        edited_at=stamp(one.updated_at) if one.edits else None,
        minimised=one.minimised,
        reactions=reactions,
    )


def _check(one: Check) -> Entry:
    return _entry(
        "check",
        one.id,
        one.started_at,
        one.app.bot.login,
        name=one.name,
        commit=one.head_sha,
        status=one.status,
        conclusion=one.conclusion,
        title=one.output.get("title") or "",
        summary=one.output.get("summary") or "",
        text=one.output.get("text") or "",
        url=one.details_url,
        actions=one.actions,
    )


def _status(one: Status) -> Entry:
    return _entry(
        "status",
        one.id,
        one.created_at,
        one.creator.login,
        name=one.context,
        commit=one.sha,
        state=one.state,
        description=one.description or "",
        url=one.target_url or "",
    )


def _deployment(one: Deployment) -> Entry:
    states = [
        {
            "state": state.state,
            "description": state.description,
            "log_url": state.log_url,
            "environment_url": state.environment_url,
            "at": stamp(state.created_at),
        }
        for state in one.states
    ]
    return _entry(
        "deployment",
        one.id,
        one.created_at,
        one.creator.login,
        environment=one.environment,
        commit=one.sha,
        state=states[-1]["state"] if states else "pending",
        states=states,
    )
