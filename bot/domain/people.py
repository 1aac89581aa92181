"""Who asks, and what they may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.domain.ports.forge import Role

ROLES: tuple[Role, ...] = ("none", "read", "triage", "write", "maintain", "admin")

Platform = Literal["github", "slack", "system", "terraform"]


def reaches(role: Role, needed: Role) -> bool:
    """Whether `role` is at least `needed`, in GitHub's own order of repository roles."""
    return ROLES.index(role) >= ROLES.index(needed)


@dataclass(frozen=True)
class Actor:
    """The person behind a request.

    login: GitHub login, empty for a Slack user who is not linked (who may look and nothing else).
    slack: `team/user` where the request came from Slack. via: the platform it came by
    (`terraform`: by their own Terraform, on a laptop).
    """

    login: str = ""
    slack: str = ""
    via: Platform = "github"

    @property
    def name(self) -> str:
        """How texts call them: `@ann`, or a Slack mention, or `Towpath` for what nobody asked."""
        if self.login:
            return f"@{self.login}"
        return f"<@{self.slack.rpartition('/')[2]}>" if self.slack else "Towpath"


SYSTEM = Actor(via="system")
"""Behind runs that an event started and nobody asked for."""
