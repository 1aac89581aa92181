"""The comments of workflows: one with the plans of a pull request, and after the merge one for each target."""

from __future__ import annotations

from datetime import datetime

from bot.domain.actions import LONGEST
from bot.domain.chat import Status
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.surfaces import Surface
from bot.domain.target import Target
from bot.render import surfaces as render
from bot.render.truncation import COMMENT
from bot.services.context import Context
from bot.surfaces.status_comment import marker, post_comment

ROOM = COMMENT - LONGEST
"""Characters of the visible text; the rest is for the reviewed plans."""


def post_plans(context: Context, pull: PullRequest, status: Status) -> tuple[str, datetime | None]:
    """Create or edit the comment with the plans. Returns its text, and when it was posted, by GitHub's clock."""
    body = f"{render.comment(status, ROOM)}\n{marker(_plans(pull))}"
    _, at = post_comment(context, _plans(pull), body)
    return body, at


def plans_posted(context: Context, pull: PullRequest) -> bool:
    """Whether an earlier run posted that comment."""
    return context.forge.find_comment(pull.repository, pull.number, marker(_plans(pull))) is not None


def add_reviewed(context: Context, pull: PullRequest, body: str, line: str) -> None:
    """Add the signed line with the reviewed plans to that comment, now that it is known when they were shown."""
    post_comment(context, _plans(pull), f"{body}\n{line}")


def post_merge(context: Context, pull: PullRequest, target: Target, text: str) -> None:
    """Create or edit the comment that says what became of a target after the merge."""
    surface = _surface(f"merge:{target.key}#{pull.number}", pull)
    post_comment(context, surface, f"{text}\n{marker(surface)}")


def _plans(pull: PullRequest) -> Surface:
    return _surface(f"{pull.repository}#{pull.number}", pull)


def _surface(subject: str, pull: PullRequest) -> Surface:
    """It is always searched for: an earlier run of the workflow may have posted it, and had a database of its own."""
    return Surface(f"actions:{subject}", "status", subject, pull.repository, pull.number, tried=True)
