"""The plan of a revert: the configuration it needs, and what it loses."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.domain.plans import PlanSummary
from bot.domain.ports.terraform import Additions
from bot.domain.release import Release
from bot.domain.reverts import classify
from bot.domain.run import Plan, Run
from bot.errors import UserError
from bot.filesystem import remove_tree
from bot.services.context import Context
from bot.services.targets import PullContext, fetch


@dataclass(frozen=True)
class RevertInputs:
    """What a revert's plan needs besides the old configuration.

    additions: extra files. then: the state that the release left. forward: the release's commit contains the reverted
    one, as when a revert is reverted.
    """

    additions: Additions = field(default_factory=Additions)
    then: bytes = b""
    forward: bool = False


def prepare_revert(context: Context, run: Run, pull_context: PullContext) -> RevertInputs:
    """Determine what the old configuration needs so that Terraform does not destroy what was only renamed. Raises
    UserError if the release can no longer be planned."""
    stack = pull_context.policy.stacks[run.target.stack]
    with context.store.read() as tables:
        release = tables.releases.get(run.reverts)
        current = tables.states.current(run.target.key)
        last = tables.runs.last_apply(run.target)
        undone = tables.plans.get(last.plan_id) if last else None
    if release is None:
        raise UserError("The release to revert to no longer exists.", next_step="Name another one.")
    branch = context.known(run.target.repository).default_branch
    refs = [f"refs/pull/{release.pull}/head", f"refs/heads/{branch}"]
    fetch(context, run.target.repository, [run.commit, run.base_commit], refs)
    now, then = current[1] if current else b"", state_left_by(context, release)
    work_dir = context.data_dir / "reverts" / run.id
    try:
        old = _root(context, run, run.commit, work_dir / "old", stack.root)
        new = _root(context, run, run.base_commit, work_dir / "new", stack.root)
        found = context.terraform.revert_additions(old, new, then=then, now=now, imported=_imported(undone))
    finally:
        for one in ("old", "new"):
            context.git.remove(work_dir / one)
        with suppress(OSError):
            remove_tree(work_dir)
    forward = context.git.is_ancestor(run.target.repository, run.base_commit, run.commit)
    return RevertInputs(found, then, forward)


def _imported(plan: Plan | None) -> set[str] | None:
    """Addresses of what the plan that is taken back imported; None where it is not known."""
    if plan is None:
        return None
    return {change.address for change in PlanSummary.from_dict(plan.summary).changes if change.import_id}


def state_left_by(context: Context, release: Release) -> bytes:
    """Return the state that the release left, which an earlier run wrote if its own apply changed nothing; b"" if it is no
    longer recorded."""
    with context.store.read() as tables:
        versions = tables.states.versions(release.target.key, 10_000)
        same = [one for one in versions if one.serial == release.serial]
        mine = [one for one in same if one.run_id == release.run_id]
        found = mine or [one for one in same if one.created_at <= release.created_at]
        return tables.states.data(found[0].id) if found else b""


def with_losses(plan: Plan, revert_inputs: RevertInputs) -> Plan:
    """Return the plan with each action classified and the resources whose data is lost."""
    classes = classify(
        PlanSummary.from_dict(plan.summary), revert_inputs.then, revert_inputs.additions.outside
    )
    lost = (*classes.of("destroy"), *classes.of("replace"))
    return replace(
        plan,
        additions={name: content.decode() for name, content in revert_inputs.additions.files.items()},
        losses=tuple(one.address for one in lost),
        summary={
            **plan.summary,
            "classes": [action.to_dict() for action in classes.actions],
            "warnings": list(revert_inputs.additions.warnings),
            "forward": revert_inputs.forward,
        },
    )


def _root(context: Context, run: Run, commit: str, path: Path, root: str) -> Path:
    context.git.checkout(run.target.repository, commit, path)
    if not (path / root).is_dir():
        raise UserError(
            f"`{root}` was not a directory in this repository at `{commit[:7]}`, so that release can no longer be "
            "planned.",
            next_step="Name another release.",
        )
    return path / root
