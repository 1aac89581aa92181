"""A workspace and a bot that asks for consent there, over rows; what GitHub and git would say is left out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.domain.approvals import Approval
from bot.domain.chat import ApprovalRequest
from bot.domain.plans import PlanSummary, ResourceChange
from bot.domain.ports.inbox import Delivery
from bot.domain.run import Plan
from bot.intake import slack as slack_intake
from bot.intake.modals import Modals
from bot.playground.slack import Message, SlackStandIn
from bot.services.context import Context, SurfaceKey, show
from bot.slack.app import SlackApp, build_app
from bot.slack.chat import Slack, web_client
from bot.slack.listeners import SlackHandlers
from bot.storage.database import Database
from bot.surfaces import approval as surface
from bot.surfaces import reply
from bot.surfaces.projector import Projector
from tests.unit.render import approvals, facts

CHANNEL, FILE = "C0INFRA", b"plan"
DIGEST = hashlib.sha256(FILE).hexdigest()
ID = approvals.approval().id


@dataclass
class Office:
    """A workspace, a bot that asks there, and rows; the use cases are left out."""

    slack: SlackStandIn
    database: Database
    inbox: Any
    projector: Projector

    def ask(self, user: str = "") -> Message:
        """Show the approval in the channel, or to one person directly; the message as it is now."""
        subject = f"{ID}/{user}" if user else ID
        with self.database.begin() as tables:
            show(tables, facts.NOW, SurfaceKey("approval", subject, facts.REPOSITORY, 12))
        self.project()
        return (self.slack.direct(user) if user else self.slack.messages(CHANNEL))[-1]

    def project(self) -> None:
        while self.projector.once():
            pass

    def end(self, why: str = "@bob rejected it: not today") -> None:
        with self.database.begin() as tables:
            assert tables.approvals.end(ID, "rejected", why, facts.NOW)

    def meant(self) -> list[Any]:
        """What came in, in its order."""
        pending: list[Delivery] = self.inbox.pending(50)
        return [request for one in pending for request in slack_intake.parse_requests(one)]


def furnished(slack: SlackStandIn, database: Database, inbox: Any, directory: Path) -> Office:
    """With an approval of a plan that destroys two resources and has many pages."""
    names = ("forge", "git", "terraform", "backends", "secrets", "work", "smoke")
    absent: Any = dict.fromkeys(names)
    context = Context(
        store=database, data_dir=directory, worker="w", address="https://x", now=lambda: facts.NOW, **absent
    )
    approval = approvals.approval(plan_digest=DIGEST, destroys=2)
    plan = facts.plan(approval.target, large(), id=approval.run_id, digest=DIGEST)
    with database.begin() as tables:
        tables.pulls.save(facts.PULL)
        tables.runs.add(facts.run(approval.target))
        tables.plans.add(plan, FILE)
        tables.approvals.add(approval)
    chat = Slack(slack.state.bot_token, api_url=slack.api_url, timeout=5)
    projections: Any = {
        "approval": surface.approval_projection(chat, CHANNEL, "/infra"),
        "follow_up": surface.follow_up_projection(chat, CHANNEL, "/infra"),
        "reply": reply.reply_projection(chat),
    }
    return Office(slack, database, inbox, Projector(lambda: context, projections, threads=0))


def entry(office: Office) -> SlackApp:
    """The bot's own entry, with its modals."""
    state, modals = office.slack.state, Modals(office.database, lambda: facts.NOW)
    return build_app(
        web_client(state.bot_token, api_url=office.slack.api_url),
        state.signing_secret,
        command_name="/infra",
        handlers=SlackHandlers(
            slack_intake.delivery_store(office.inbox, lambda: None), modals.open, modals.check
        ),
    )


def large() -> PlanSummary:
    changes = (
        ResourceChange("playground_server.old", "x", "delete"),
        ResourceChange("playground_server.db", "x", "replace"),
        *(ResourceChange(f"playground_server.web[{n}]", "x", "create") for n in range(2_000)),
    )
    return PlanSummary(add=2_001, destroy=2, replace=1, changes=changes)


def asking(context: Context, approval_id: str) -> ApprovalRequest | None:
    """The rows as they are, without policy and promotion."""
    with context.store.read() as tables:
        approval: Approval | None = tables.approvals.get(approval_id)
        plan: Plan | None = tables.plans.get(approval.run_id) if approval else None
    if approval is None:
        return None
    shown = approvals.asking()
    return replace(shown, state=replace(shown.state, approval=approval), plan=plan)
