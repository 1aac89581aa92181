"""What is said about each cause: one sentence, and the next step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.sanitize import outside
from bot.domain.why.model import Cause, CauseKind


@dataclass(frozen=True)
class Remedies:
    """What next steps name, in the markup of the bot's own texts.

    again: the command that tries again. unlock: the one that breaks the state's lock. credentials: where they are kept.
    variables: where a variable is set. limit: where a time limit is set.
    """

    again: str
    unlock: str
    credentials: str
    variables: str
    limit: str


_TEXTS: Mapping[CauseKind, tuple[str, str]] = {
    "state-locked": (
        "The state is locked{by}, so Terraform did not start.",
        "Wait until that is done. If its holder has died, run {unlock}, then {again}.",
    ),
    "credentials": (
        "The provider or the backend rejected the credentials: they are missing, wrong or expired.",
        "Renew {credentials}, then run {again}.",
    ),
    "permission": (
        "The credentials work, but may not do this: the provider or the backend denied access.",
        "Grant the permission named in the error to {credentials}, then run {again}.",
    ),
    "quota": (
        "A quota or limit of the provider is used up, or it has no capacity left.",
        "Ask the provider for a higher quota or delete what is unused, then run {again}.",
    ),
    "rate-limited": (
        "The provider's API limits how many requests it takes, and refused some of them.",
        "Wait some minutes, then run {again}. If it happens often, lower `parallelism`.",
    ),
    "download": (
        "A provider or module could not be downloaded.",
        "Check its source, its version and that it can be read without a login here. If the registry was down, run {again}.",
    ),
    "lock-file": (
        "The dependency lock file does not fit the configuration.",
        "Run `terraform init -upgrade` in the root module, commit `.terraform.lock.hcl` and push.",
    ),
    "network": (
        "A server could not be reached.",
        "Check its address and that it is up, then run {again}.",
    ),
    "backend-changed": (
        "The backend differs from the one that was initialised.",
        "Restore the `backend` block, or move the state to the new backend first, then run {again}.",
    ),
    "plan-outdated": (
        "The plan is out of date: something it depends on changed after it was made.",
        "Run {again}, and review the new plan.",
    ),
    "missing-variable": (
        "The variable{detail} has no value and no default.",
        "Set it in {variables} and push.",
    ),
    "missing-var-file": (
        "The var file{detail} does not exist.",
        "Add it and push, or correct `var_files` in `envs/environments.toml`.",
    ),
    "provider-bug": (
        "The provider failed or contradicted itself, which is a bug in the provider, not in your configuration.",
        "Run {again}: it often works the second time. If it does not, use another version of the provider.",
    ),
    "provider-timeout": (
        "A resource was not ready within the time that the provider waits.",
        (
            "Look at the resource in the provider's console. When it is ready, run {again}; if it always takes that long, "
            "raise its `timeouts`."
        ),
    ),
    "already-exists": (
        "Something of this name already exists, and is not in this state.",
        "Import it with an `import` block, or choose another name, and push.",
    ),
    "workflow-invalid": (
        "GitHub does not accept the workflow file, so nothing ran.",
        "Open the run on GitHub, which names the line; fix it and push.",
    ),
    "configuration": (
        "Terraform rejects the configuration{by}.",
        "Fix it and push.",
    ),
    "timed-out": (
        "It took longer than it may, and was stopped.",
        "Run {again}. If it needs more time, raise {limit}.",
    ),
    "cancelled": ("It was cancelled{by}.", "Run {again} when you want it after all."),
    "interrupted": (
        "The worker died or lost its connection while it ran; it is not repeated automatically.",
        "Run {again} to see what is left to do.",
    ),
    "disk-full": (
        "The disk is full.",
        "Ask whoever operates it to free space, then run {again}.",
    ),
    "sandbox": (
        (
            "It tried to use a path{detail} that it may not use: a run sees its checkout, its modules and providers, and "
            "nothing else on the machine."
        ),
        "Put the file into the repository or pass its content as a variable, and push.",
    ),
    "unknown": (
        "No known cause. The error and the end of the log follow.",
        "Fix it and push, or run {again}.",
    ),
}


def cause(kind: CauseKind, remedies: Remedies, *, detail: str = "", by: str = "") -> Cause:
    """Return the cause with its texts. detail: somebody else's text, such as a variable's name. by: a clause of ours,
    starting with a space: who holds the lock, who cancelled, at which line. Raises KeyError for causes whose texts are the
    run's own."""
    explanation, next_step = _TEXTS[kind]
    named = f" `{outside(detail, 200)}`" if detail else ""
    return Cause(
        kind,
        explanation.format(detail=named, by=by),
        next_step.format(
            again=remedies.again,
            unlock=remedies.unlock,
            credentials=remedies.credentials,
            variables=remedies.variables,
            limit=remedies.limit,
        ),
    )
