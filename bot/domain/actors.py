"""The people behind requests, and their roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["none", "read", "triage", "write", "maintain", "admin"]
ROLES: tuple[Role, ...] = ("none", "read", "triage", "write", "maintain", "admin")
Platform = Literal["github", "slack", "system", "terraform", "terminal"]


def reaches(role: Role, needed: Role) -> bool:
    """Return whether `role` is at least `needed`, in GitHub's order of repository roles."""
    return ROLES.index(role) >= ROLES.index(needed)


@dataclass(frozen=True)
class Actor:
    """The person behind a request.

    login: GitHub login, empty for a Slack user who is not linked and therefore has read-only access.
    slack: `team/user` if the request came from Slack. via: where the request came from; `terraform` is the person's own
    Terraform on a laptop, `terminal` the operator's command line.
    """

    login: str = ""
    slack: str = ""
    via: Platform = "github"

    @property
    def name(self) -> str:
        """How texts name them: `@ann`, a Slack mention, the operator, or `Towpath` if no person made the request."""
        if self.login:
            return f"@{self.login}"
        if self.slack:
            return f"<@{self.slack.rpartition('/')[2]}>"
        return "the operator" if self.via == "terminal" else "Towpath"


SYSTEM = Actor(via="system")
"""The actor of runs that an event started."""
