"""Which targets a pull request or a command means: the policy, the touched stacks, the named environments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.domain.policy import PATH, Environment, Policy, PolicyError, Stack, parse_policy
from bot.domain.ports.forge import ForgeError, PullRequest
from bot.domain.refusal import Refusal, Refused, require
from bot.domain.sanitize import outside
from bot.domain.suggest import did_you_mean
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.context import Context

CONFIGURATION = (".tf", ".tf.json", ".tofu", ".tofu.json", ".tftpl", ".tpl", ".yaml", ".yml", ".json")
"""Suffixes of files in modules: only for changes of these are modules searched, which reads the files of their callers."""

GLANCE = 5.0
"""Seconds that surfaces may lag behind the branch; gates and plans always read it."""


UNREAD = ("untrusted-fork", "too-large")
"""Codes of refusals to read a pull request's latest commit."""


@dataclass(frozen=True)
class PullContext:
    """A pull request, the policy in force (of the default branch), and the base branch's latest commit."""

    pull: PullRequest
    policy: Policy
    base_tip: str


def policy_at(context: Context, repository: str, commit: str) -> Policy | None:
    """Return the policy at a commit that is in the mirror; None if it has no policy file. Raises PolicyError."""

    def read() -> Policy | None:
        text = context.git.read(repository, commit, PATH)
        if text is None:
            return None
        return parse_policy(text.decode("utf-8", "replace"), f"{PATH} at {commit[:7]}", repository)

    return context.caches.policies.get((repository, commit), read)


def tip_of(context: Context, repository: str, branch: str, at_most: float = 0.0) -> str:
    """Return the latest commit of a branch, read from GitHub at most `at_most` seconds ago."""
    return context.caches.tips.get((repository, branch), lambda: _tip(context, repository, branch), at_most)


def _tip(context: Context, repository: str, branch: str) -> str:
    """Read it from the API, or with git if the server has no API for branches."""
    try:
        return context.forge.head_of(repository, branch)
    except ForgeError as error:
        if error.status not in (404, 405, 501):
            raise
        return context.git.tip(context.remote(repository), branch)


def default_policy(context: Context, repository: str, at_most: float = 0.0) -> Policy | None:
    """Return the policy in force, from the default branch and never from a pull request; None if there is none."""
    branch = context.known(repository).default_branch
    tip = tip_of(context, repository, branch, at_most)
    fetch(context, repository, [tip], [f"refs/heads/{branch}"])
    return policy_at(context, repository, tip)


def readable_policy(context: Context, repository: str, at_most: float = 0.0) -> Policy | None:
    """Return the policy in force for display: None also if it is invalid, which gates and plans report."""
    try:
        return default_policy(context, repository, at_most)
    except PolicyError:
        return None


def fetch(context: Context, repository: str, commits: Sequence[str], refs: Sequence[str]) -> None:
    """Make commits readable."""
    context.git.fetch(context.remote(repository), commits, refs=refs)


def load_pull_context(context: Context, pull: PullRequest, at_most: float = 0.0) -> PullContext:
    """Fetch what the pull request needs and read the policy. Raises Refusal if it cannot be planned at all."""
    try:
        policy = default_policy(context, pull.repository, at_most)
    except PolicyError as error:
        raise Refusal("policy", error.what, error.next_step) from error
    default = context.known(pull.repository).default_branch
    if policy is None:
        raise Refusal(
            "no-policy",
            f"There is no `{PATH}` on `{default}`, so nothing is planned yet.",
            "Add one in a pull request; the README has a complete example.",
        )
    if not policy.plans_base(pull.base_ref, default):
        raise Refusal(
            "other-base",
            f"Pull requests into `{pull.base_ref}` are not planned.",
            f"Name it under `branches` in `{PATH}` on `{default}`, or change the base to `{default}`.",
        )
    # the default branch was read just now, in this very call
    tip = base_tip(context, pull, max(at_most, 0.5 if pull.base_ref == default else 0.0))
    return PullContext(pull, policy, tip)


def require_trust(context: Context, pull: PullRequest) -> None:
    """Raise Refusal for a fork's commit that nobody with the `write` role has allowed: nothing of it is fetched or listed,
    since anybody can open a pull request. Whoever merged one has read it."""
    if not pull.from_fork or pull.state == "merged":
        return
    with context.store.read() as tables:
        if tables.pulls.trusted(pull.repository, pull.number, pull.head_sha):
            return
    raise Refusal(
        "untrusted-fork",
        f"From a fork: `{pull.head_sha[:7]}` is not read and not planned until somebody with the `write` role has read it "
        "and commented `/plan`.",
    )


def base_tip(context: Context, pull: PullRequest, at_most: float = 0.0) -> str:
    """Return the base branch's latest commit, after fetching it and the pull request's latest commit. Raises Refusal for
    an untrusted fork."""
    require_trust(context, pull)
    # a merge is judged by the branch as it was right before
    tip = context.merge.before if context.merge else tip_of(context, pull.repository, pull.base_ref, at_most)
    fetch(
        context,
        pull.repository,
        [tip, pull.head_sha],
        [f"refs/heads/{pull.base_ref}", f"refs/pull/{pull.number}/head", f"refs/heads/{pull.head_ref}"],
    )
    return tip


def default_tip(context: Context, pull_context: PullContext) -> tuple[str, str]:
    """Return the default branch and its latest commit, after fetching it."""
    pull = pull_context.pull
    branch = context.known(pull.repository).default_branch
    if branch == pull.base_ref:
        return branch, pull_context.base_tip
    tip = tip_of(context, pull.repository, branch)
    fetch(context, pull.repository, [tip], [f"refs/heads/{branch}"])
    return branch, tip


def on_main(pull_context: PullContext, commit: str) -> PullContext:
    """Return the context for a commit of the base branch that the pull request was merged into. That commit is no longer
    a fork's, wherever the pull request came from: whoever merged it has read it."""
    pull = replace(pull_context.pull, head_sha=commit, head_repository=pull_context.pull.repository)
    return replace(pull_context, pull=pull)


def before_merge(pull_context: PullContext) -> PullContext:
    """Return the context as it was before the merge, by which it is known what the pull request changed."""
    pull = pull_context.pull
    return replace(pull_context, base_tip=pull.base_sha) if pull.state == "merged" else pull_context


def touched_stacks(context: Context, pull_context: PullContext) -> list[Stack]:
    """Return the stacks whose files, or whose local modules' files, the pull request changes."""
    pull = pull_context.pull
    changed = context.git.changed(pull.repository, pull_context.base_tip, pull.head_sha)
    return affected_stacks(context, pull.repository, pull.head_sha, pull_context.policy, changed)


def concerned_stacks(context: Context, pull_context: PullContext) -> list[Stack]:
    """Return the touched stacks, and those after them that were planned in the pull request all the same, since an apply in
    it changed their inputs."""
    policy, pull = pull_context.policy, pull_context.pull
    touched = {stack.name for stack in touched_stacks(context, pull_context)}
    behind = [one for one in policy.stacks.values() if one.after and one.name not in touched]
    found = set(touched)
    with context.store.read() as tables:
        for stack in behind:
            targets = [
                policy.target(pull.repository, stack.name, env.name, pull.number)
                for env in policy.environments_of(stack)
            ]
            before = {one.stack for target in targets for one in policy.upstream(target)}
            if before & touched and tables.runs.newest_of(targets, pull=pull.number):
                found.add(stack.name)
    return [stack for name, stack in policy.stacks.items() if name in found]


def affected_stacks(
    context: Context, repository: str, commit: str, policy: Policy, changed: list[str]
) -> list[Stack]:
    """Return the stacks that `changed` paths affect: by their globs, or because they use a local module that changed."""
    return [
        stack
        for stack in policy.stacks.values()
        if any(_concern(context, repository, commit, stack, changed))
    ]


def changed_on_base(context: Context, pull_context: PullContext, stack: str) -> list[str]:
    """Return the stack's paths that changed on the base branch and are missing here: the plan would undo them."""
    return changed_on_base_by_stack(context, pull_context, [stack])[stack]


def changed_on_base_by_stack(
    context: Context, pull_context: PullContext, stacks: Iterable[str]
) -> dict[str, list[str]]:
    """Return such paths for several stacks; git is asked once."""
    pull = pull_context.pull
    paths = context.git.changed(pull.repository, pull.head_sha, pull_context.base_tip)
    return {
        stack: list(
            _concern(
                context, pull.repository, pull_context.base_tip, pull_context.policy.stacks[stack], paths
            )
        )
        for stack in stacks
    }


def _concern(context: Context, repository: str, commit: str, stack: Stack, paths: list[str]) -> Iterator[str]:
    """Yield those of `paths` that the stack watches, or that are in a local module it uses, directly or indirectly."""
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


def automatic_environments(policy: Policy, stack: Stack) -> list[Environment]:
    """Return the environments that are planned when a pull request is opened or pushed."""
    return [env for env in policy.environments_of(stack) if env.on_pull_request]


def select_targets(
    context: Context, pull_context: PullContext, environment: str | None, stack: str | None
) -> list[Target]:
    """Return the targets that `[env] [stack]` of a command name. Raises Refusal, with a did-you-mean for unknown words."""
    pull = pull_context.pull
    policy = pull_context.policy
    if environment is not None:
        require(refuse_unknown(policy, environment, stack))
    stacks = [policy.stacks[stack]] if stack else concerned_stacks(context, pull_context)
    if not stacks and environment and len(policy.stacks) == 1:
        stacks = list(policy.stacks.values())  # the environment was named, and there is only one stack
    if not stacks:
        raise Refusal(
            "untouched",
            f"#{pull.number} touches no stack ({', '.join(f'`{name}`' for name in policy.stacks)}).",
            "Name one: `/plan <env> <stack>`.",
        )
    found = []
    for one in stacks:
        offered = policy.environments_of(one)
        chosen = (
            [env for env in offered if env.name == environment]
            if environment
            else automatic_environments(policy, one)
        )
        found += [policy.target(pull.repository, one.name, env.name, pull.number) for env in chosen]
    if not found:
        where = f"in `{environment}`" if environment else "when a pull request changes"
        raise Refusal(
            "nowhere", f"No stack of #{pull.number} is planned {where}.", "`/status` shows what is planned."
        )
    return policy.in_order(found)


def refuse_unknown(
    policy: Policy, environment: str, stack: str | None, *, local: bool = False
) -> Refused | None:
    """Refuse words that name no environment or stack, and local environments, unless `local` admits them."""
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
    if policy.environments[environment].local and not local:
        return Refused(
            "local",
            f"`{environment}` is local-only.",
            "Run `towpath dev plan` on your own machine.",
        )
    return None


def policy_change_note(context: Context, pull: PullRequest, tip: str) -> str:
    """Return a note for a pull request that changes the policy: what will apply after the merge, or what is wrong; ""
    otherwise."""
    changed = context.git.changed(pull.repository, tip, pull.head_sha)
    if PATH not in changed:
        return ""
    try:
        policy = policy_at(context, pull.repository, pull.head_sha)
    except UserError as error:
        return f"`{PATH}` in this pull request is invalid: {error.what}"
    if policy is None:
        return f"This pull request removes `{PATH}`: nothing will be planned after the merge."
    stacks = ", ".join(f"`{stack.name}` (`{stack.root}`)" for stack in policy.stacks.values())
    environments = ", ".join(f"`{name}`" for name in policy.environments)
    return (
        f"This pull request changes `{PATH}`. After the merge: stacks {stacks}; environments "
        f"{environments}. Until then the default branch's policy applies."
    )
