"""The projection of each kind of surface."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.ports.chat import Chat
from bot.domain.ports.surfaces import SurfaceKind
from bot.surfaces import deployment, gate_check, issue, merge_queue, plan_check, reaction, status_comment
from bot.surfaces.approval import approval_projection, follow_up_projection
from bot.surfaces.drift import drift_projection
from bot.surfaces.export import export_projection
from bot.surfaces.projector import Projection
from bot.surfaces.reply import reply_projection
from bot.surfaces.slack_card import card_projection


def projections(chat: Chat | None, channel: str, slash: str) -> Mapping[SurfaceKind, Projection]:
    """Return the projections for the Projector. chat, channel: where Slack's surfaces go; None if Slack is off. slash: the
    slash command."""
    return {
        "status": status_comment.project,
        "check": plan_check.project,
        "deployment": deployment.project,
        "gate": gate_check.project,
        "queue": merge_queue.project,
        "issue": issue.project,
        "reaction": reaction.project,
        "reply": reply_projection(chat),
        "card": card_projection(chat, channel, slash),
        "approval": approval_projection(chat, channel, slash),
        "drift": drift_projection(chat, channel, slash),
        "export": export_projection(chat, channel, slash),
        "follow_up": follow_up_projection(chat, channel, slash),
    }
