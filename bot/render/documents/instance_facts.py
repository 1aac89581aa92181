"""What people should know about an instance: its last use, when it sleeps, when it is destroyed, and what stops it."""

from __future__ import annotations

from bot.domain.chat import TargetStatus
from bot.domain.previews import Instance, sleeps_at
from bot.render.document import Plain, Spans
from bot.render.documents.target_state import target_state
from bot.render.format import format_time, one_line
from bot.render.markup import to_spans

_WHY = {
    "merged": "merged",
    "closed": "closed",
    "expired": "its time was over",
    "down": "taken down",
    "removed": "removed from the policy",
}
"""Why an instance is destroyed, in words; a verified one needs none."""


def instance_facts(row: TargetStatus) -> list[Spans]:
    """Return the facts as parts of a cell; none for an environment that exists once."""
    instance = row.instance
    if instance is None:
        return []
    parts: list[Spans] = []
    if instance.note and target_state(row) != "waiting":
        parts.append(to_spans(one_line(instance.note)))
    if instance.wanted == "gone":
        return [*parts, *_ended(instance)]
    if instance.state == "asleep" and not (instance.half_asleep and instance.wanted == "asleep"):
        parts.append((Plain("💤 asleep"),))
    elif instance.wanted == "asleep" and instance.state != "asleep":
        parts.append((Plain("falling asleep"),))
    if instance.exists and not instance.passing:
        parts.append((Plain(f"last used {format_time(instance.used_at)}"),))
        if sleeps := sleeps_at(instance, row.environment):
            parts.append((Plain(f"sleeps {format_time(sleeps)}"),))
        if instance.expires_at is not None:
            parts.append((Plain(f"kept until {format_time(instance.expires_at)}"),))
    return parts


def _ended(instance: Instance) -> list[Spans]:
    why = _WHY.get(instance.why, "")
    if instance.state != "gone":
        return [(Plain(f"to be destroyed{f': {why}' if why else ''}"),)] if instance.exists else []
    return [(Plain(why),)] if why else []
