"""What the policy's commands get: a target's outputs, the secrets and the identity of an apply, and artifacts as files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from bot.domain.policy import Policy
from bot.domain.ports.smoke import Surroundings
from bot.domain.ports.terraform import Backend, Control, TerraformFailed, WorkDir
from bot.domain.run import Run
from bot.domain.states import Outputs, outputs_in, outputs_of, sensitive_texts
from bot.domain.target import Target
from bot.errors import UserError
from bot.filesystem import remove_tree
from bot.services.context import Context
from bot.services.directories import smoke_directory_of
from bot.services.identity import renew_tokens, run_identity, secrets_for

ENCRYPTED = "the state is encrypted by OpenTofu, so its outputs cannot be read after a restart of Towpath"


@dataclass(frozen=True)
class ReadOutputs:
    """A target's outputs. problem: why they could not be read, "" if they were."""

    values: Outputs
    problem: str = ""


def read_outputs(
    context: Context, target: Target, backend: Backend, work_dir: WorkDir | None, control: Control
) -> ReadOutputs:
    """Read the outputs from the state itself, or with Terraform if it is encrypted."""
    try:
        values = outputs_of(context.backends.current(target, backend))
        if values is None:
            if work_dir is None:
                return ReadOutputs({}, ENCRYPTED)
            values = outputs_in(context.terraform.outputs(work_dir, control))
        return ReadOutputs(values)
    except (UserError, TerraformFailed, ValueError) as error:
        return ReadOutputs({}, f"the outputs cannot be read: {error}")


@contextmanager
def prepared_surroundings(
    context: Context, run: Run, policy: Policy, outputs: Outputs, control: Control, *, acting: bool
) -> Iterator[Surroundings]:
    """Yield what the commands of a run get, in a directory of their own that is removed at the end. acting: whether they
    need the environment's identity, too. Raises UserError if the secrets or the identity cannot be had."""
    directory = smoke_directory_of(context, run)
    static = secrets_for(context, policy, run, control)
    identity = run_identity(context, policy, run, directory) if acting else None
    artifacts = policy.environments[run.target.environment].artifacts
    try:
        renew_tokens(context, identity, control)
        yield Surroundings(
            directory,
            {**static, **(identity.env if identity else {})},
            {name: outputs[name].text.encode() for name in artifacts if name in outputs},
            (*control.secrets, *sensitive_texts(outputs)),
        )
    finally:
        with suppress(OSError):
            remove_tree(directory)
