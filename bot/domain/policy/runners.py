"""Rules of the policy for environments that are handed over to GitHub Actions."""

from __future__ import annotations

from bot.domain.policy.model import Policy
from bot.domain.policy.problems import Problems


def check_runners(problems: Problems, policy: Policy) -> None:
    """Add what does not fit `runner`: a workflow only plans and applies, and reaches a state in a bucket only."""
    for env in policy.environments.values():
        if not env.runner:
            continue
        path = ("env", env.name, "runner")
        others = [name for name in ("instance", "drift", "local") if getattr(env, name)]
        if any(check.kind == "command" for check in env.smoke):
            others.append("smoke")
        if others:
            problems.add(path, f'"actions" does not work together with `{others[0]}`')
        for stack in policy.stacks.values():
            if env not in policy.environments_of(stack):
                continue
            if stack.backend.kind != "s3":
                problems.add(path, f'"actions" needs `kind = "s3"` in `[stack.{stack.name}.backend]`')
