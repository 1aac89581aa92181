"""What an approval requires, in words."""

from __future__ import annotations

from bot.domain.approvals.model import Approval, Missing, OwnerSet

WRITE_ROLE = "the `write` role"
NAMED = 5
"""Sets of code owners that are named; the rest are counted."""


def name_people(approval: Approval) -> tuple[str, ...]:
    """Return whose approvals count, as CODEOWNERS names them; empty if anyone's with write access do."""
    return tuple(f"@{name.lstrip('@')}" for name in (*approval.teams, *approval.users))


def missing_approvals(approval: Approval, missing: Missing | None = None) -> str:
    """Describe what is missing, or all that is required.

    Such as "1 approval (`write` role), which must include @bob, code owner of `infra/main.tf`". A code owner's approval
    counts as one of those required, unless the policy names whose approvals count.
    """
    lacks = missing or Missing(approval.count, name_people(approval), approval.owners)
    owners = _owners(lacks.owners)
    covered = not lacks.eligible and lacks.count < len(lacks.owners)
    if not lacks.count or covered:
        return f"approval from {owners}" if owners else "no more approvals"
    number = f"{lacks.count} approval{'s' if lacks.count > 1 else ''}"
    if lacks.eligible:
        required = f"{number} from {' or '.join(lacks.eligible)}"
        return f"{required}, and approval from {owners}" if owners else required
    return f"{number} (`write` role)" + (f", which must include {owners}" if owners else "")


def _owners(sets: tuple[OwnerSet, ...]) -> str:
    """`@bob, code owner of `infra/main.tf`, and @acme/web, code owner of `web/a.tf``."""
    names = [_owner(one) for one in sets[:NAMED]]
    if len(sets) > NAMED:
        names.append(f"{len(sets) - NAMED} more code owners")
    return ", and ".join(names)


def _owner(one: OwnerSet) -> str:
    paths, names = one["paths"], one["any_of"]
    others = len(paths) - 1
    more = f" and {others} more file{'s' if others > 1 else ''}" if others else ""
    return f"{' or '.join(names)}, code owner{'s' if len(names) > 1 else ''} of `{paths[0]}`{more}"
