"""What an apply leaves for later steps and jobs: its release, encrypted artifacts, and a state that could not be uploaded."""

from __future__ import annotations

from bot.actions.encryption import encrypt_for, encrypt_with
from bot.cli.ci_context import Job
from bot.domain.run import Run
from bot.services.actions import MergeApply, hand_over, push_or_return

STATE = "errored.tfstate"


def keep_results(found: Job, merge: MergeApply, run: Run) -> None:
    """Set the step's outputs. Done before anything is posted on GitHub, which may not answer."""
    found.runner.output("release", hand_over(found.context, run, found.keys[0]))
    recipients = merge.pull_context.policy.environments[merge.target.environment].artifact_recipients
    contents = _artifacts(found, merge)
    if contents and not recipients:
        found.runner.annotate(
            "warning",
            f"The artifacts of {merge.target} are not uploaded, since everybody who can read Actions could read them: set "
            "`artifact_recipients` in `envs/environments.toml`.",
        )
    files = {name: encrypt_for(recipients, content) for name, content in contents.items() if recipients}
    state = push_or_return(found.context, merge.target, found.runner.seed)
    if state is not None:
        files[STATE] = encrypt_for(recipients, state) if recipients else encrypt_with(found.keys[0], state)
        found.runner.annotate(
            "error",
            f"The state of {merge.target} could not be uploaded. It is in this run's artifacts as `{STATE}.age`, encrypted to "
            f"{'`artifact_recipients`' if recipients else 'the passphrase `TOWPATH_SECRET_KEY`'}: decrypt it, and run "
            f"`terraform state push {STATE}` before anything else changes this environment.",
        )
    if files:
        _write(found, run, files)


def _artifacts(found: Job, merge: MergeApply) -> dict[str, bytes]:
    with found.context.store.read() as tables:
        kept = tables.artifacts.of_target(merge.target)
        return {one.name: tables.artifacts.content(one.id) for one in kept}


def _write(found: Job, run: Run, files: dict[str, bytes]) -> None:
    directory = found.runner.temporary / f"towpath-artifacts-{run.id}"
    directory.mkdir(mode=0o700)
    for name, content in files.items():
        (directory / f"{name}.age").write_bytes(content)
    found.runner.output("artifacts", str(directory))
