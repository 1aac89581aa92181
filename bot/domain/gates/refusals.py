"""Refusals that gates and use cases share."""

from __future__ import annotations

from bot.domain.actors import Role, reaches
from bot.domain.lock import Lock
from bot.domain.refusal import Refused
from bot.domain.run import Plan
from bot.domain.sanitize import outside
from bot.domain.target import Target, command


def refuse_locked(lock: Lock, target: Target) -> Refused:
    """Return the refusal that names the lock's owner, reason, time and link, and how to release it."""
    taken = f"{lock.created_at:%Y-%m-%d %H:%M} UTC"
    unlock = f"`{command('unlock', target)}`"
    if not lock.pull:
        until = f", until {lock.expires_at:%Y-%m-%d %H:%M} UTC" if lock.expires_at else ""
        reason = f": {outside(lock.reason)}" if lock.reason else ""
        fact = f"{target} is locked by {lock.owner} since {taken}{until}{reason}."
        return Refused("locked", fact, f"{lock.actor.name} or a maintainer can run {unlock}.")
    owner = f"[#{lock.pull}]({lock.url})" if lock.url else lock.owner
    person = f" ({lock.actor.name})" if lock.actor.login else ""
    expires = f" It expires on {lock.expires_at:%Y-%m-%d %H:%M} UTC." if lock.expires_at else ""
    return Refused(
        "locked",
        f"{target} is locked: {owner}{person} has held the lock since {taken}, when it was applied.{expires}",
        f"It is released when #{lock.pull} is merged or closed, or when {lock.actor.name} runs {unlock}.",
    )


def refuse_unread(target: Target, plan: Plan, word: str) -> Refused:
    """Return the refusal of a command whose author could not have read the plan. word: the command."""
    named = "" if plan.reverts else f" {plan.commit[:7]}"
    return Refused(
        "unread",
        f"The plan for {target} at `{plan.commit[:7]}` was published after this was written, so whoever wrote it cannot "
        "have read the plan.",
        f"Review it, then run `{command(word, target)}{named}`.",
    )


def refuse_other_commit(commit: str, named: str, what: str, again: str) -> Refused | None:
    """Refuse a command that names another commit than the one it would act on. named: a prefix. what: the words before
    the right one. again: the command to run next."""
    if commit.startswith(named):
        return None
    fact = f"This names `{outside(named[:40])}`, but {what} `{commit[:7]}`."
    return Refused("names-other-commit", fact, f"Review its plan, then run `{again}`.")


def refuse_pushed(commit: str, again: str) -> Refused:
    """Return the refusal of a command that was written before the commit it would act on was pushed. again: the command to
    run next."""
    return Refused(
        "unread",
        f"`{commit[:7]}` was pushed after this was written, or in the same second, so whoever wrote it cannot have read it.",
        f"Review it, then run `{again}`.",
    )


def refuse_role(role: Role, needed: Role, doing: str) -> Refused | None:
    """Return a refusal that names the role needed and the role at hand, or None if it suffices."""
    if reaches(role, needed):
        return None
    current = "no access to this repository" if role == "none" else f"the `{role}` role"
    return Refused(
        "permission",
        f"To {doing}, you need the `{needed}` role on the repository; you have {current}.",
        "Ask someone who has that role, or ask a repository admin for it.",
    )
