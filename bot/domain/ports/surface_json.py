"""The JSON that is stored with surfaces: what they should show, and what was posted. Keys depend on the surface's kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict


class WantedContent(TypedDict, total=False):
    """What a surface should show, for kinds that are not rendered from current rows.

    A reply: `platform`, and `body` for GitHub or the rest for Slack. A reaction: `comment`, `reaction`. A merge group:
    `number`, `head_sha`, `base_sha`. A direct message about an approval: `user`.
    """

    platform: str
    body: str
    channel: str
    thread: str
    user: str
    response_url: str
    text: str
    blocks: Sequence[dict[str, Any]]
    private: bool
    comment: int
    reaction: str
    number: int
    head_sha: str
    base_sha: str


class PostedCheck(TypedDict):
    """One of several checks of a surface. open: it is not completed."""

    id: int
    digest: str
    open: bool


class PostedContent(TypedDict, total=False):
    """The platform's ids of what was posted, and how far a surface of several parts is.

    checks: by name, at `head_sha`; names: of all checks, at any commit. pulls: numbers of a merge group's pull requests.
    annotated: id of the run whose errors the check shows as annotations; annotating: the one whose are being sent.
    replaced: id of the check before, which had another run's annotations. said: ids of the runs whose end is in the card's thread; saying: the one being posted.
    """

    comment_id: int
    node_id: str
    check_id: int
    head_sha: str
    open: bool
    annotated: str
    annotating: str
    replaced: int
    deployment_id: int
    channel: str
    ts: str
    checks: dict[str, PostedCheck]
    names: list[str]
    pulls: list[int]
    said: list[str]
    saying: str
