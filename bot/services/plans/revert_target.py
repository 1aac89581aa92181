"""Which release a revert returns to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.hold import Hold
from bot.domain.refusal import Refusal
from bot.domain.release import Release
from bot.domain.reverts import undo_history
from bot.domain.run import Run
from bot.domain.sanitize import outside
from bot.domain.target import Target, command
from bot.services.context import Context
from bot.services.holds import held_back
from bot.services.targets import fetch

SHORTEST = 4
"""Fewest characters of an id or commit that name a release; git takes no fewer of a commit."""
LOOKED = 100
"""Latest releases that can be named; for older ones there is git."""


@dataclass(frozen=True)
class RevertTarget:
    """The release that a revert returns to. undone: the commit that was applied last, which it reverts."""

    to: Release
    undone: str


def choose_release(context: Context, target: Target, wanted: str | None) -> RevertTarget:
    """Return the release to revert to: the one that is named (by id, commit or serial), else the last verified one before
    the last apply. If that apply failed, this is the release before it.

    Never one that a hold keeps out. Without a name, never one that was reverted, whether it is held or not. Raises
    Refusal.
    """
    with context.store.read() as tables:
        releases = tables.releases.of_target(target, LOOKED)
        last = tables.runs.last_apply(target)
        hold = tables.holds.get(target)
    if not releases:
        raise Refusal("no-release", f"Nothing was ever applied to {target}.", f"`{command('apply', target)}`")
    undone = last.commit if last else releases[0].commit
    if wanted:
        chosen = RevertTarget(_one_named(target, releases, wanted), undone)
    elif (half := _half_done(releases, last)) is not None:
        chosen = half
    else:
        return RevertTarget(_last_good(context, target, releases, undone, hold), undone)
    if hold is not None and (held := _held(context, hold, chosen.to)):
        raise Refusal(
            "held",
            f"{held.fact}, and the release `{chosen.to.id[:8]}` (serial {chosen.to.serial}) contains the reverted commit "
            f"`{held.reverted[:7]}`.",
            f"{_again(target, chosen.to)}.",
        )
    return chosen


def _half_done(releases: Sequence[Release], last: Run | None) -> RevertTarget | None:
    """Return the target of a revert that failed half-way, to continue it; None if the last apply was none."""
    if last is None or not last.reverts or releases[0].active:
        return None
    half = next((one for one in releases if one.id == last.reverts), None)
    return RevertTarget(half, last.base_commit) if half else None


def _last_good(
    context: Context, target: Target, releases: Sequence[Release], undone: str, hold: Hold | None
) -> Release:
    """Return the last verified release before the last apply that has not been reverted. Raises Refusal."""
    history = undo_history(releases)
    before = history[1:] if releases[0].active else history
    for one in before:
        if one.verified and not (hold and _held(context, hold, one)):
            return one
    held = next((one for one in releases if hold and one.commit in hold.held), None)
    if not before:
        raise Refusal(
            "no-release",
            f"`{undone[:7]}` is the first release of {target}, so there is nothing to revert to.",
            f"{_again(target, held)}, to apply `{held.commit[:7]}` again."
            if held
            else f"Push a fix, then run `{command('apply', target)}`.",
        )
    raise Refusal(
        "no-release",
        f"{target} has no verified release before the last apply.",
        f"Name one: `/revert {target.environment} <release>`; `{command('history', target)}` lists them.",
    )


def _again(target: Target, release: Release) -> str:
    stack = f" {target.named_stack}" if target.named_stack else ""
    return f"Run `{command('unhold', target)}`, then `/revert {target.environment} {release.serial}{stack}`"


def _held(context: Context, hold: Hold, release: Release) -> Hold | None:
    """Return the hold if it keeps the release out."""
    repository = hold.target.repository
    branch = context.known(repository).default_branch
    refs = [f"refs/pull/{one}/head" for one in {release.pull, hold.pull} - {0}]
    fetch(context, repository, [release.commit, *hold.held], [*refs, f"refs/heads/{branch}"])
    return held_back(context, hold, release.commit)


def _one_named(target: Target, releases: Sequence[Release], wanted: str) -> Release:
    """Return the release that a word names. Raises Refusal for none, or several."""
    named = _named(releases, wanted)
    if len({one.commit for one in named}) > 1:
        which = ", ".join(f"`{one.id[:8]}` (`{one.commit[:7]}`)" for one in named)
        raise Refusal(
            "several-releases",
            f"`{outside(wanted)}` matches several releases of {target}: {which}.",
            f"Run `/revert {target.environment} <release>` with more characters or the serial.",
        )
    if not named:
        raise Refusal(
            "no-release",
            f"{target} has no release `{outside(wanted)}` among its last {len(releases)}.",
            f"`{command('history', target)}` lists them.",
        )
    return named[0]


def _named(releases: Sequence[Release], wanted: str) -> list[Release]:
    """Return the releases that a word names, newest first. A number means a serial first, since ids and commits begin with
    digits too."""
    word = wanted.lower().lstrip("#")
    if numbered := [one for one in releases if word == str(one.serial)]:
        return numbered[:1]
    if len(word) < SHORTEST:
        return []
    return [one for one in releases if one.id.startswith(word) or one.commit.startswith(word)]
