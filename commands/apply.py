"""`/apply <env> [stack] [when-approved]`, and `/apply <env> [stack] --force <reason>`"""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.results import Result
from bot.domain.words import outside
from bot.services import applying
from bot.services.asking import Wish
from bot.services.forcing import may_force
from bot.services.targets import pick
from commands.registry import Ask, command

WHEN = "when-approved"
FORCE = "--force"


@command(
    "apply",
    "<env> [how...]",
    spelled="<env> [stack] [when-approved | --force <reason>]",
    role="write",
    pull=True,
    changes=True,
    summary="Apply the plan that stands on the pull request",
    examples=(
        "/apply staging",
        "/apply staging network",
        "/apply prod",
        "/apply prod when-approved",
        "/apply prod --force the pager is ringing",
    ),
)
def apply(ask: Ask, env: str, how: str | None) -> Result:
    """Applies exactly the plan that people have read, at exactly its commit, and claims the environment for this pull
    request until it is merged or closed. It is refused, with the next step, when the branch or its base has moved,
    when the plan is too old or already used, or when somebody else holds the environment. Without any plan it makes
    one, shows it, and waits for a second `/apply`. Where the policy asks for consent, it asks the people whose consent
    is missing; with `when-approved` it then applies by itself. `--force <reason>` is for emergencies, and for those
    whom the policy names: it skips promotion, freeze and approvals, and somebody else must acknowledge it."""
    pull = ask.require_pull()
    if "plan" in ask.beside:
        return Refused(
            "unread",
            "`/plan` and `/apply` in one comment: nobody would have read that plan.",
            f"Read the plan when it is there, then comment `/apply {env}{f' {how}' if how else ''}`.",
        )
    stand = ask.ground()
    if isinstance(stand, Refused):
        return stand
    said = words(env, how, tuple(stand.policy.stacks))
    if isinstance(said, Refused):
        return said
    stack, wish = said
    targets = pick(ask.context, pull, stand, env, stack)
    if isinstance(targets, Refused):
        return targets
    if pull.from_fork:
        return Refused(
            "fork",
            "A pull request from a fork is planned without secrets and never applied.",
            "Push its branch to this repository and open a pull request from there.",
        )
    if wish.forced and (
        no := may_force(
            ask.context,
            stand.policy.environments[env],
            ask.actor,
            f"/apply {env} --force <reason>",
            f"`/apply {env}` asks for the consent that is missing.",
        )
    ):
        return no
    return applying.request(ask.context, pull, stand, targets, ask.actor, ask.origin, wish)


def words(env: str, how: str | None, stacks: tuple[str, ...]) -> tuple[str | None, Wish] | Refused:
    """What stands after the environment: a stack, then `when-approved`, or `--force` and its reason."""
    before, force, reason = f"{how or ''} ".partition(f"{FORCE} ")
    left = before.split()
    when = WHEN in left
    left = [word for word in left if word != WHEN]
    if force and not reason.strip():
        return Refused(
            "no-reason",
            "A break-glass needs its reason: it is shown to everybody.",
            f"`/apply {env} --force <reason>`",
        )
    if len(left) > 1 or (left and left[0] not in stacks and left[0].startswith("-")):
        return Refused(
            "grammar",
            f"I do not know `{outside(' '.join(left)[:60])}` after `/apply {env}`.",
            f"`/apply {env} [stack] [when-approved]` or `/apply {env} [stack] --force <reason>`",
        )
    return (left[0] if left else None), Wish(when, reason.strip()[:500] if force else "")
