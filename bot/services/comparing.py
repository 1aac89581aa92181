"""Two recorded states beside each other."""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.gates import command
from bot.domain.policy import Policy
from bot.domain.results import Difference
from bot.domain.state import StateVersion
from bot.domain.state_diff import diff
from bot.domain.target import Target
from bot.services.context import Context


def compare(
    context: Context, target: Target, policy: Policy, serials: tuple[int, ...]
) -> Difference | Refused:
    """The versions of two serials; of one: that and the newest; of none: the last two. The target's secrets are masked
    wherever they stand. Raises StateDamaged where one of them cannot be read."""
    hidden = (*context.hidden, *context.secrets(policy.secrets_prefix(target.environment)).values())
    with context.store.read() as tables:
        newest = tables.states.versions(target.key, 2)
        found = [(serial, tables.states.numbered(target.key, serial)) for serial in serials]
        missing = [serial for serial, version in found if version is None]
        if missing:
            return _no_such(target, missing[0])
        chosen = [version for _serial, version in found if version is not None]
        pair = _pair(chosen, newest)
        if pair is None:
            return _too_few(target, newest)
        if pair[0] == pair[1]:
            return _same(target, pair[0], len(chosen))
        before, after = (tables.states.data(version.id) for version in pair)
    try:
        return Difference(target, *pair, diff(before, after, hidden))
    except ValueError as error:
        return Refused(
            "unreadable", f"These states cannot be compared: {error}.", f"`{command('history', target)}`"
        )


def _pair(chosen: list[StateVersion], newest: list[StateVersion]) -> tuple[StateVersion, StateVersion] | None:
    if len(chosen) == 2:
        return chosen[0], chosen[1]
    if len(chosen) == 1:
        return chosen[0], newest[0]
    return (newest[1], newest[0]) if len(newest) == 2 else None


def _no_such(target: Target, serial: int) -> Refused:
    return Refused(
        "no-version",
        f"No state of {target} with serial {serial} was recorded.",
        f"`{command('history', target)}` lists those that were.",
    )


def _too_few(target: Target, newest: list[StateVersion]) -> Refused:
    if newest:
        what = f"Only one state was recorded in {target} (serial {newest[0].serial})"
        step = f"`{command('history', target)}` shows it; the next apply makes another."
    else:
        what, step = (
            f"No state was recorded in {target} yet",
            f"`{command('apply', target)}` makes the first.",
        )
    return Refused("too-few", f"{what}, so there is nothing to compare.", step)


def _same(target: Target, version: StateVersion, named: int) -> Refused:
    """One serial that is the newest, or the same one twice."""
    what = f"Serial {version.serial} is the newest of {target}" if named == 1 else "That is one serial twice"
    last = command("diff", target)
    return Refused(
        "same",
        f"{what}, so there is nothing to compare.",
        f"`{last}` compares the last two; `{last} <serial>` others.",
    )
