"""Which repository a command of the operator means."""

from __future__ import annotations

from bot.errors import UserError
from bot.wiring import Bot


def chosen_repository(bot: Bot, named: str, example: str) -> str:
    """Return the repository that was named, or the only one that the bot knows. example: the command line up to the name, for
    the error. Raises UserError if there are none or several."""
    if named:
        return named.lower()
    with bot.database.read() as tables:
        names = [repository.name for repository in tables.pulls.repositories()]
    if len(names) == 1:
        return names[0]
    if not names:
        raise UserError("The bot knows no repository yet.", next_step=f"Run `{example} owner/name`.")
    raise UserError(
        f"The bot knows several repositories: {', '.join(names[:10])}.",
        next_step=f"Name one: `{example} {names[0]}`.",
    )
