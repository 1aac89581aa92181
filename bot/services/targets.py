"""Which targets a pull request or a command means: the policy, the stacks it touches, the environments asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.domain import policy_file
from bot.domain.answers import Refused
from bot.domain.policy import PATH, Environment, Policy, Stack
from bot.domain.policy_file import PolicyError
from bot.domain.ports.forge import ForgeError, PullRequest
from bot.domain.suggest import did_you_mean
from bot.domain.target import Target
from bot.domain.words import outside
from bot.errors import UserError
from bot.services.context import Context

_parsed: dict[tuple[str, str], Policy] = {}
_parsing = threading.Lock()
_fetched: set[tuple[int, str, str]] = set()
_tips: dict[tuple[int, str, str], tuple[float, str]] = {}

CONFIGURATION = (".tf", ".tf.json", ".tofu", ".tofu.json", ".tftpl", ".tpl", ".yaml", ".yml", ".json")
"""What modules are made of: only a change of these is looked for in modules, which costs reading their callers."""

GLANCE = 5.0
"""Seconds for which what surfaces show may be behind the branch; gates and plans always ask."""


@dataclass(frozen=True)
class Ground:
    """What a pull request stands on: the policy of the default branch, and the base branch's tip now."""

    policy: Policy
    base_tip: str


def policy_at(context: Context, repository: str, commit: str) -> Policy | None:
    """The policy file at a commit that is in the mirror; None where there is none. Raises PolicyError."""
    with _parsing:
        if known := _parsed.get((repository, commit)):
            return known
    text = context.git.read(repository, commit, PATH)
    if text is None:
        return None
    policy = policy_file.parse(text.decode("utf-8", "replace"), f"{PATH} at {commit[:7]}")
    with _parsing:
        if len(_parsed) > 256:
            _parsed.clear()
        _parsed[repository, commit] = policy
    return policy


def tip_of(context: Context, repository: str, branch: str, at_most: float = 0.0) -> str:
    """The commit of a branch, as GitHub has it now or had it `at_most` seconds ago."""
    key = (id(context.forge), repository, branch)
    asked, tip = _tips.get(key, (0.0, ""))
    if not tip or time.monotonic() - asked >= at_most:
        tip = _tip(context, repository, branch)
        _tips[key] = time.monotonic(), tip
    return tip


def _tip(context: Context, repository: str, branch: str) -> str:
    """By the API, or by git itself where a server does not offer branches there."""
    try:
        return context.forge.head_of(repository, branch)
    except ForgeError as error:
        if error.status not in (404, 405, 501):
            raise
        return context.git.tip(context.remote(repository), branch)


def default_policy(context: Context, repository: str, at_most: float = 0.0) -> Policy | None:
    """The policy in force: read from the default branch, never from a pull request."""
    branch = context.known(repository).default_branch
    tip = tip_of(context, repository, branch, at_most)
    fetch(context, repository, [tip], [f"refs/heads/{branch}"])
    return policy_at(context, repository, tip)


def readable_policy(context: Context, repository: str, at_most: float = 0.0) -> Policy | None:
    """The same for what only shows how things stand: None also where it is broken, which gates and plans tell."""
    try:
        return default_policy(context, repository, at_most)
    except PolicyError:
        return None


def fetch(context: Context, repository: str, commits: Sequence[str], refs: Sequence[str]) -> None:
    """Make commits readable. What this process has fetched is not looked for again: that would cost a process of
    git's each time, and a mirror that is damaged since then heals itself when it is read."""
    missing = [commit for commit in commits if (id(context.git), repository, commit) not in _fetched]
    if missing:
        context.git.fetch(context.remote(repository), missing, refs=refs)
        if len(_fetched) > 100_000:
            _fetched.clear()
        _fetched.update((id(context.git), repository, commit) for commit in missing)


def ground(context: Context, pull: PullRequest, at_most: float = 0.0) -> Ground | Refused:
    """Fetch what the pull request needs, and read the policy. Refused where it cannot be planned at all."""
    try:
        policy = default_policy(context, pull.repository, at_most)
    except PolicyError as error:
        return Refused("policy", error.what, error.next_step)
    default = context.known(pull.repository).default_branch
    if policy is None:
        return Refused(
            "no-policy",
            f"There is no `{PATH}` on `{default}`, so nothing is planned here yet.",
            "Add one in a pull request; the README has a complete example.",
        )
    if not policy.plans_base(pull.base_ref, default):
        return Refused(
            "other-base",
            f"Pull requests into `{pull.base_ref}` are not planned.",
            f"Name it under `branches` in `{PATH}` on `{default}`, or change the base to `{default}`.",
        )
    # the default branch was asked for just now, within this very call
    tip = base_tip(context, pull, max(at_most, 0.5 if pull.base_ref == default else 0.0))
    return Ground(policy, tip)


def base_tip(context: Context, pull: PullRequest, at_most: float = 0.0) -> str:
    """The base branch's commit, after it and the pull request's head were made readable."""
    tip = tip_of(context, pull.repository, pull.base_ref, at_most)
    fetch(
        context,
        pull.repository,
        [tip, pull.head_sha],
        [f"refs/heads/{pull.base_ref}", f"refs/pull/{pull.number}/head", f"refs/heads/{pull.head_ref}"],
    )
    return tip


def touched(context: Context, pull: PullRequest, ground: Ground) -> list[Stack]:
    """Stacks whose files, or whose local modules' files, the pull request changes."""
    changed = context.git.changed(pull.repository, ground.base_tip, pull.head_sha)
    return watching(context, pull.repository, pull.head_sha, ground.policy, changed)


def watching(
    context: Context, repository: str, commit: str, policy: Policy, changed: list[str]
) -> list[Stack]:
    """The stacks that `changed` paths concern: by their globs, or because they use a local module that changed."""
    return [
        stack
        for stack in policy.stacks.values()
        if any(_concern(context, repository, commit, stack, changed))
    ]


def moved(context: Context, pull: PullRequest, ground: Ground, stack: str) -> list[str]:
    """Paths of the stack that changed on the base since this branch left it: its plan would undo them."""
    return moved_by_stack(context, pull, ground, [stack])[stack]


def moved_by_stack(
    context: Context, pull: PullRequest, ground: Ground, stacks: Iterable[str]
) -> dict[str, list[str]]:
    """The same for several stacks at once; git is asked once."""
    paths = context.git.changed(pull.repository, pull.head_sha, ground.base_tip)
    return {
        stack: list(_concern(context, pull.repository, ground.base_tip, ground.policy.stacks[stack], paths))
        for stack in stacks
    }


def _concern(context: Context, repository: str, commit: str, stack: Stack, paths: list[str]) -> Iterator[str]:
    """Those of `paths` that the stack watches, or that lie in a local module it uses, directly or through others."""
    rest = []
    for path in paths:
        if stack.watches(path):
            yield path
        else:
            rest.append(path)
    if not any(path.endswith(CONFIGURATION) for path in rest):
        return
    users = context.terraform.module_users(
        context.git.files(repository, commit),
        lambda path: context.git.read(repository, commit, path),
        [stack.root],
    )
    for path in rest:
        if any(path.startswith(f"{module}/") for module in users):
            yield path


def automatic(policy: Policy, stack: Stack) -> list[Environment]:
    """The environments that are planned when a pull request is opened or pushed."""
    return [env for env in policy.environments_of(stack) if env.on_pull_request]


def pick(
    context: Context, pull: PullRequest, ground: Ground, environment: str | None, stack: str | None
) -> list[Target] | Refused:
    """The targets that `[env] [stack]` of a command mean; unknown words get a did-you-mean."""
    policy = ground.policy
    if environment is not None and (no := unknown(policy, environment, stack)):
        return no
    stacks = [policy.stacks[stack]] if stack else touched(context, pull, ground)
    if not stacks and environment and len(policy.stacks) == 1:
        stacks = list(policy.stacks.values())  # asked for by name: there is only one it can be
    if not stacks:
        return Refused(
            "untouched",
            f"#{pull.number} touches no stack ({', '.join(f'`{name}`' for name in policy.stacks)}).",
            "Name one: `/plan <env> <stack>`.",
        )
    found = []
    for one in stacks:
        offered = policy.environments_of(one)
        chosen = (
            [env for env in offered if env.name == environment] if environment else automatic(policy, one)
        )
        found += [policy.target(pull.repository, one.name, env.name, pull.number) for env in chosen]
    if not found:
        where = f"in `{environment}`" if environment else "when a pull request changes"
        return Refused(
            "nowhere", f"No stack of #{pull.number} is planned {where}.", "`/status` shows what there is."
        )
    return found


def unknown(policy: Policy, environment: str, stack: str | None) -> Refused | None:
    """A refusal for words that name no environment or stack, or the laptop's own environment."""
    for word, kind, names in (
        (environment, "environment", list(policy.environments)),
        (stack, "stack", list(policy.stacks)),
    ):
        if word is None or word in names:
            continue
        guess = did_you_mean(word, names)
        hint = f"Did you mean `{guess}`? " if guess else ""
        return Refused(
            f"unknown-{kind}",
            f"There is no {kind} `{outside(word)}`.",
            f"{hint}There {'is' if len(names) == 1 else 'are'} {', '.join(f'`{name}`' for name in names)}.",
        )
    if policy.environments[environment].local:
        return Refused(
            "local",
            f"`{environment}` lives on the laptop; it is not run from here.",
            "Use your own Terraform there.",
        )
    return None


def parsed_policy_note(context: Context, pull: PullRequest, tip: str) -> str:
    """What a pull request that changes the policy is told: it would mean this, from its merge on; or what is wrong."""
    changed = context.git.changed(pull.repository, tip, pull.head_sha)
    if PATH not in changed:
        return ""
    try:
        policy = policy_at(context, pull.repository, pull.head_sha)
    except UserError as error:
        return f"This pull request's `{PATH}` would not work: {error.what}"
    if policy is None:
        return f"This pull request removes `{PATH}`: after its merge nothing is planned any more."
    stacks = ", ".join(f"`{stack.name}` (`{stack.root}`)" for stack in policy.stacks.values())
    environments = ", ".join(f"`{name}`" for name in policy.environments)
    return (
        f"This pull request changes `{PATH}`. From its merge on it means: stacks {stacks}; environments "
        f"{environments}. Until then the policy of the default branch holds."
    )
