"""The modals of approvals: opened and checked while Slack waits, so from the database alone, in one transaction each.

Nothing is granted here: what a click or a submission means is decided when its delivery is worked through.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.domain.approval import Approval
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.store import Store
from bot.domain.run import Plan
from bot.intake.clicks import About, about, entered
from bot.render import modals as views
from bot.render.modals import Read
from bot.slack.request import SlackRequest

KEPT = 8
"""Plans that stay worked out: those that people look at now."""


@dataclass(frozen=True)
class _Facts:
    approval: Approval
    plan: Plan | Read | None
    pull: PullRequest | None


class Modals:
    """Safe to use from many threads. now: the time, UTC."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store, self._now = store, now
        self._guard = threading.Lock()
        self._plans: dict[str, Read] = {}

    def open(self, request: SlackRequest) -> dict[str, Any] | None:
        """The view that a click opens, or turns to; None where the click itself is the answer (an approval that
        destroys nothing), and where it is about something unknown, over, or another plan: then it is stored, and its
        author hears what became of that."""
        asked = about(request.value)
        if asked is not None and asked.simple and request.action_id == "modal:approve":
            return None  # known without a look at the database: clicks come in bursts, and Slack waits
        shown = request.action_id != "modal:reject"
        facts = self._facts(asked, plan=shown) if asked else None
        if asked is None or facts is None:
            return None
        approval, asked = facts.approval, self._from(request, asked)
        open_now = approval.status == "open" and not approval.expired(self._now())
        match request.action_id.split(":"):
            case ["modal", "approve"] if open_now and approval.destroys and (read := self._read(facts)):
                return views.approve(approval, read, asked.metadata)
            case ["modal", "reject"] if open_now:
                return views.reject(approval, asked.metadata)
            case ["modal", "plan" | "page", *_] if read := self._read(facts):
                return views.plan_page(approval, read, facts.pull, asked.page, asked.metadata)
        return None

    def check(self, request: SlackRequest) -> dict[str, str] | None:
        """What is wrong with a submission: block_id → text; None where all is well, or where it is not for us to say."""
        if request.action_id == "reject":
            reason = entered(request.view, views.REASON, views.TEXT)
            if not reason:
                return {views.REASON: "Say why, in a few words."}
            if len(reason) > views.LONGEST_REASON:
                return {views.REASON: f"At most {views.LONGEST_REASON} characters, please."}
            return None
        asked = about(request.value) if request.action_id == "approve" else None
        facts = self._facts(asked) if asked else None
        if facts is None or not facts.approval.live:
            return None
        wanted = facts.approval.target.environment
        if entered(request.view, views.ENVIRONMENT, views.TEXT) != wanted:
            return {views.ENVIRONMENT: f"That is not it: type {wanted} to approve."}
        return None

    def _facts(self, asked: About, *, plan: bool = False) -> _Facts | None:
        with self._store.read() as tables:
            approval = tables.approvals.get(asked.approval)
            if approval is None or approval.plan_digest[:16] != asked.digest:
                return None
            known = self._plans.get(approval.plan_digest)
            return _Facts(
                approval,
                known or (tables.plans.get(approval.run_id) if plan else None),
                tables.pulls.get(approval.target.repository, approval.pull),
            )

    def _read(self, facts: _Facts) -> Read | None:
        """The plan as modals show it, the newest KEPT of them worked out once."""
        if not isinstance(facts.plan, Plan):
            return facts.plan
        read = Read.of(facts.plan)
        with self._guard:
            self._plans[facts.approval.plan_digest] = read
            while len(self._plans) > KEPT:
                del self._plans[next(iter(self._plans))]
        return read

    @staticmethod
    def _from(request: SlackRequest, asked: About) -> About:
        """With the place of the message that was clicked; within a view it is in the view's own metadata."""
        if not request.view:
            return replace(asked, channel=request.channel, thread=request.thread_ts)
        before = about(str(request.view.get("private_metadata", "")))
        return replace(asked, channel=before.channel, thread=before.thread) if before else asked
