"""What projects each kind of surface."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.ports.chat import Chat
from bot.domain.ports.surfaces import SurfaceKind
from bot.surfaces import approval, card, check, deployment, drift, gate, queue, reaction, reply, status
from bot.surfaces.projector import Projection


def projections(chat: Chat | None, channel: str, slash: str) -> Mapping[SurfaceKind, Projection]:
    """For the Projector. chat, channel: where Slack's surfaces go; None where it is off. slash: the slash command."""
    return {
        "status": status.project,
        "check": check.project,
        "deployment": deployment.project,
        "gate": gate.project,
        "queue": queue.project,
        "reaction": reaction.project,
        "reply": reply.project_with(chat),
        "card": card.project_with(chat, channel, slash),
        "approval": approval.project_with(chat, channel, slash),
        "drift": drift.project_with(chat, channel, slash),
        "follow_up": approval.follow_ups_with(chat, channel, slash),
    }
