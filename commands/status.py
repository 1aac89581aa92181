"""`/status`"""

from __future__ import annotations

from bot.domain.results import Result
from bot.services.status import of_pull, of_repository
from commands.registry import Ask, command


@command("status", aliases=("st",), summary="Show where every environment stands", examples=("/status",))
def status(ask: Ask) -> Result:
    """On a pull request: each environment's plan, lock, run and next command. Elsewhere: what is deployed and who
    holds what."""
    return of_pull(ask.context, ask.pull) if ask.pull else of_repository(ask.context, ask.repository)
