"""The way back to a release: which one, the configuration that leads there, and what is lost on it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from bot.domain.answers import Refused
from bot.domain.gates import command
from bot.domain.plan import PlanSummary
from bot.domain.ports.store import Tables
from bot.domain.ports.terraform import Additions
from bot.domain.release import Release
from bot.domain.reverting import classed
from bot.domain.run import Plan, Run
from bot.domain.target import Target
from bot.domain.words import outside
from bot.errors import UserError
from bot.services.context import Context
from bot.services.targets import Ground, fetch

SHORTEST = 4
"""Characters of an id or of a commit that name a release; git takes no fewer of a commit."""
LOOKED = 100
"""Releases that are looked at: who wants an older one knows its commit and has git."""


@dataclass(frozen=True)
class Back:
    """Where a revert goes: to that release; `undone` is the commit that was applied last, and is taken back."""

    to: Release
    undone: str


@dataclass(frozen=True)
class Way:
    """additions: what the old configuration needs besides. then: the state as that release left it. forward: its commit
    contains what is taken back, as when a revert is reverted. frees: what a hold keeps out there, and that commit has.
    """

    additions: Additions = field(default_factory=Additions)
    then: bytes = b""
    forward: bool = False
    frees: str = ""


def choose(tables: Tables, target: Target, wanted: str | None) -> Back | Refused:
    """The release to go back to: the one that is named (by id, commit or serial), else the last verified one before
    what was applied last. Where that apply did not end well, the last verified one is what stood there before it."""
    releases = tables.releases.of_target(target, LOOKED)
    if not releases:
        return Refused(
            "no-release", f"Nothing was ever applied to {target}.", f"`{command('apply', target)}`"
        )
    last = tables.runs.last_apply(target)
    undone = last.commit if last else releases[0].commit
    if wanted:
        named = _named(releases, wanted)
        if len({one.commit for one in named}) > 1:
            which = ", ".join(f"`{one.id[:8]}` (`{one.commit[:7]}`)" for one in named)
            return Refused(
                "several-releases",
                f"`{outside(wanted)}` is the beginning of several releases of {target}: {which}.",
                f"`/revert {target.environment} <release>` with more of it, or with the serial.",
            )
        if not named:
            return Refused(
                "no-release",
                f"{target} has no release `{outside(wanted)}` among its last {len(releases)}.",
                f"`{command('history', target)}` lists them.",
            )
        return Back(named[0], undone)
    if last is not None and last.reverts and not releases[0].active:
        half = next((one for one in releases if one.id == last.reverts), None)
        if half is not None:
            return Back(half, last.base_commit)  # a revert that broke half way goes on
    before = releases if not releases[0].active else releases[1:]
    good = next((one for one in before if one.verified), None)
    if good is None and not before:
        return Refused(
            "no-release",
            f"The release of `{undone[:7]}` is the first one of {target}: there is nothing before it to go back to.",
            f"Push what it should be instead, then `{command('apply', target)}`.",
        )
    if good is None:
        return Refused(
            "no-release",
            f"{target} has no verified release before the last apply.",
            f"`/revert {target.environment} <release>` names one; `{command('history', target)}` lists them.",
        )
    return Back(good, undone)


def prepare(context: Context, run: Run, stand: Ground) -> Way:
    """Find out what the old configuration needs so that Terraform goes back without destroying what only changed its
    name. Raises UserError where it cannot be planned any more."""
    stack = stand.policy.stacks[run.target.stack]
    with context.store.read() as tables:
        release = tables.releases.get(run.reverts)
        current = tables.states.current(run.target.key)
        last = tables.runs.last_apply(run.target)
        undone = tables.plans.get(last.plan_id) if last else None
        hold = tables.holds.get(run.target)
    if release is None:
        raise UserError("The release to go back to is not known any more.", next_step="Name another one.")
    branch = context.known(run.target.repository).default_branch
    refs = [f"refs/pull/{release.pull}/head", f"refs/heads/{branch}"]
    fetch(context, run.target.repository, [run.commit, run.base_commit], refs)
    now, then = current[1] if current else b"", state_left_by(context, release)
    place = context.data_dir / "reverts" / run.id
    try:
        old = _root(context, run, run.commit, place / "old", stack.root)
        new = _root(context, run, run.base_commit, place / "new", stack.root)
        found = context.terraform.revert_additions(old, new, then=then, now=now, imported=_imported(undone))
    finally:
        for one in ("old", "new"):
            context.git.remove(place / one)
        shutil.rmtree(place, ignore_errors=True)

    def has(commit: str) -> bool:
        return context.git.is_ancestor(run.target.repository, commit, run.commit)

    frees = hold.reverted if hold is not None and has(hold.reverted) else ""
    return Way(found, then, has(run.base_commit), frees)


def _imported(plan: Plan | None) -> set[str] | None:
    """Addresses of what the plan that is taken back imported; None where it is not known."""
    if plan is None:
        return None
    return {change.address for change in PlanSummary.from_dict(plan.summary).changes if change.import_id}


def state_left_by(context: Context, release: Release) -> bytes:
    """The state as that release left it, which another run wrote where its own apply had nothing to change; b"" where
    it is not recorded any more."""
    with context.store.read() as tables:
        versions = tables.states.versions(release.target.key, 10_000)
        same = [one for one in versions if one.serial == release.serial]
        mine = [one for one in same if one.run_id == release.run_id]
        found = mine or [one for one in same if one.created_at <= release.created_at]
        return tables.states.data(found[0].id) if found else b""


def weigh(plan: Plan, way: Way) -> Plan:
    """The plan with what it means: each action classed, and what is lost for good."""
    classes = classed(PlanSummary.from_dict(plan.summary), way.then, way.additions.outside)
    lost = (*classes.of("destroy"), *classes.of("replace"))
    return replace(
        plan,
        additions={name: content.decode() for name, content in way.additions.files.items()},
        losses=tuple(one.address for one in lost),
        summary={
            **plan.summary,
            "classes": [asdict(action) for action in classes.actions],
            "warnings": list(way.additions.warnings),
            "forward": way.forward,
            "frees": way.frees,
        },
    )


def _root(context: Context, run: Run, commit: str, path: Path, root: str) -> Path:
    context.git.checkout(run.target.repository, commit, path)
    if not (path / root).is_dir():
        raise UserError(
            f"`{root}` was no directory of this repository at `{commit[:7]}`, so that release cannot be planned any "
            "more.",
            next_step="Name another release.",
        )
    return path / root


def _named(releases: Sequence[Release], wanted: str) -> list[Release]:
    """Those that a word means, the newest first. A number is a serial first, of which there is one that counts: ids and
    commits begin with digits, too."""
    word = wanted.lower().lstrip("#")
    if numbered := [one for one in releases if word == str(one.serial)]:
        return numbered[:1]
    if len(word) < SHORTEST:
        return []
    return [one for one in releases if one.id.startswith(word) or one.commit.startswith(word)]


def plan_is_revert(plan: Plan | None, target: Target) -> Refused | None:
    """`/apply` does not take a revert's plan: its reader asked for something else."""
    if plan is None or not plan.reverts:
        return None
    way = f"`{command('revert', target)}` applies it; " if plan.status == "fresh" else ""
    return Refused(
        "revert-plan",
        f"The newest plan for {target} is a revert's.",
        f"{way}`{command('plan', target)}` makes one of the head.",
    )
