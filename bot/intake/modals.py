"""Open and check the modals of approvals while Slack waits, using only the database, in one transaction each.

Nothing is granted here: a click or a submission takes effect when its delivery is processed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cachetools import LRUCache

from bot.domain.approvals import Approval
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.store import Store
from bot.domain.run import Plan
from bot.intake.clicks import ApprovalRef, input_value, parse_approval_ref
from bot.render import modals as views
from bot.render.modals import PlanView
from bot.slack.request import SlackRequest

KEPT = 8
"""How many rendered plans to cache: those that people are looking at."""


@dataclass(frozen=True)
class _Facts:
    approval: Approval
    plan: Plan | PlanView | None
    pull: PullRequest | None


class Modals:
    """Safe to use from many threads. now: the time, UTC. link: plan id → address of the page with all that it changes."""

    def __init__(
        self, store: Store, now: Callable[[], datetime], link: Callable[[str], str] = lambda _plan_id: ""
    ) -> None:
        self._store, self._now, self._link = store, now, link
        self._guard = threading.Lock()
        self._plans: LRUCache[str, PlanView] = LRUCache(KEPT)

    def open(self, request: SlackRequest) -> dict[str, Any] | None:
        """Return the view that a click opens or turns to; None to have the click stored instead.

        A click is stored if it is the answer itself (approving a plan that destroys nothing), and if its approval is
        unknown, over, or of another plan: its author is told so when it is processed.
        """
        ref = parse_approval_ref(request.value)
        if ref is not None and ref.one_click and request.action_id == "modal:approve":
            return None  # without a query: clicks come in bursts, and Slack waits
        shows_plan = request.action_id != "modal:reject"
        facts = self._facts(ref, plan=shows_plan) if ref else None
        if ref is None or facts is None:
            return None
        approval, ref = facts.approval, self._with_location(request, ref)
        is_open = approval.status == "open" and not approval.expired(self._now())
        match request.action_id.split(":"):
            case ["modal", "approve"] if is_open and approval.destroys and (read := self._read(facts)):
                return views.approve(approval, read, ref.metadata)
            case ["modal", "reject"] if is_open:
                return views.reject(approval, ref.metadata)
            case ["modal", "plan" | "page", *_] if read := self._read(facts):
                return views.plan_page(approval, read, facts.pull, ref.page, ref.metadata)
        return None

    def check(self, request: SlackRequest) -> dict[str, str] | None:
        """Return the errors of a submission, block_id → text; None if it is valid or about no live approval."""
        if request.action_id == "reject":
            reason = input_value(request.view, views.REASON, views.TEXT)
            if not reason:
                return {views.REASON: "Enter a reason."}
            if len(reason) > views.MAX_REASON:
                return {views.REASON: f"Use at most {views.MAX_REASON} characters."}
            return None
        ref = parse_approval_ref(request.value) if request.action_id == "approve" else None
        facts = self._facts(ref) if ref else None
        if facts is None or not facts.approval.live:
            return None
        environment = facts.approval.target.environment
        if input_value(request.view, views.ENVIRONMENT, views.TEXT) != environment:
            return {views.ENVIRONMENT: f"Does not match: type {environment} to approve."}
        return None

    def _facts(self, ref: ApprovalRef, *, plan: bool = False) -> _Facts | None:
        with self._store.read() as tables:
            approval = tables.approvals.get(ref.approval)
            if approval is None or approval.plan_digest[:16] != ref.digest:
                return None
            with self._guard:
                known = self._plans.get(approval.plan_digest)
            return _Facts(
                approval,
                known or (tables.plans.get(approval.run_id) if plan else None),
                tables.pulls.get(approval.target.repository, approval.pull),
            )

    def _read(self, facts: _Facts) -> PlanView | None:
        """Return the plan as modals show it. The KEPT that were looked at last are worked out once."""
        if not isinstance(facts.plan, Plan):
            return facts.plan
        read = PlanView.of(facts.plan, self._link(facts.plan.id) if facts.plan.has_page else "")
        with self._guard:
            self._plans[facts.approval.plan_digest] = read
        return read

    @staticmethod
    def _with_location(request: SlackRequest, ref: ApprovalRef) -> ApprovalRef:
        """Add where the clicked message is; inside a view, the view's metadata has it."""
        if not request.view:
            return replace(ref, channel=request.channel, thread=request.thread_ts)
        opener = parse_approval_ref(str(request.view.get("private_metadata", "")))
        return replace(ref, channel=opener.channel, thread=opener.thread) if opener else ref
