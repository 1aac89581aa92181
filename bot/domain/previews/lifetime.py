"""When an instance falls asleep, when people are warned, and when it expires."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.policy import Environment
from bot.domain.previews.instance import Instance

WARNINGS = {"day": timedelta(days=1), "hour": timedelta(hours=1)}
"""How long before it expires people are warned, the earlier warning first."""


def renewed(instance: Instance, environment: Environment, now: datetime) -> Instance:
    """Return it as it is after somebody used it: its time starts again."""
    expires = now + environment.ttl if environment.ttl else None
    return replace(instance, used_at=now, expires_at=expires, warned="")


def sleeps_at(instance: Instance, environment: Environment) -> datetime | None:
    """Return when it falls asleep if nobody uses it; None if it never does, or is not up."""
    sleep = environment.sleep
    if not sleep.after or instance.wanted != "up" or instance.state != "up" or instance.passing:
        return None
    return instance.used_at + sleep.after


def sleep_due(instance: Instance, environment: Environment, now: datetime) -> bool:
    """Whether it should fall asleep now."""
    at = sleeps_at(instance, environment)
    return at is not None and at <= now


def warning_due(instance: Instance, environment: Environment, now: datetime) -> str:
    """Return the key of WARNINGS whose warning is due now, "" for none.

    A warning that would come right at the beginning of the time to live is left out: with a ttl of a day, nobody needs to
    be told that a day is left.
    """
    if instance.expires_at is None or not instance.exists or instance.wanted == "gone":
        return ""
    left, order = instance.expires_at - now, list(WARNINGS)
    given = order.index(instance.warned) if instance.warned else -1
    due = ""
    for index, (name, before) in enumerate(WARNINGS.items()):
        if index > given and left <= before and environment.ttl and environment.ttl > before:
            due = name  # of several that are due, the latest says it all
    return due
