"""`towpath doctor`: check every part that a process needs."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

import typer

from bot import logs
from bot.cli.main import app
from bot.cli.output import marks, working
from bot.domain.ports.chat import ChatError
from bot.domain.ports.forge import ForgeError
from bot.errors import TransientError, UserError
from bot.settings import Settings, load
from bot.wiring import Bot, hidden_values


@dataclass(frozen=True)
class Finding:
    """The result of one check: whether it passed, and what was found or what to do."""

    part: str
    ok: bool
    found: str


def look(part: str, check: Callable[[], str]) -> Finding:
    """Run one check; an error becomes a failed finding."""
    try:
        return Finding(part, ok=True, found=check())
    except (UserError, TransientError, ForgeError, ChatError) as error:
        return Finding(part, ok=False, found=str(error))
    except Exception as error:
        return Finding(part, ok=False, found=f"{type(error).__name__}: {error}"[:300])


def findings(settings: Settings) -> list[Finding]:
    """Check everything that a process needs the way it would use it. Only the database's schema may be migrated."""
    bot = Bot(settings)

    def engine() -> str:
        found = bot.engine()
        return f"{found.identity}{' (embedded)' if found.embedded else f' at {found.executable}'}"

    def sandbox() -> str:
        return bot.sandbox.describe()

    def git() -> str:
        if not (found := shutil.which("git")):
            raise UserError("git is not on PATH.", next_step="Install git.")
        return found

    def slack() -> str:
        return bot.chat.check() if bot.chat else "off"

    try:
        return [
            look("database", lambda: f"{bot.database.dialect}, migrated, opens with our key"),
            look("engine", engine),
            look("sandbox", sandbox),
            look("git", git),
            look("GitHub", lambda: f"signed in as {bot.forge.me()}"),
            look("Slack", slack),
            Finding(
                "settings",
                ok=not settings.missing(),
                found=" ".join([*settings.missing(), *settings.turned_off()]) or "complete",
            ),
        ]
    finally:
        bot.close()


@app.command()
def doctor(as_json: bool = typer.Option(False, "--json", help="Print one JSON object.")) -> None:
    """Check every part that a process needs. Exit code 1 if something does not work."""
    settings = load()
    logs.configure(hidden_values(settings), as_json=settings.log_json)
    with working("Checking each part"):
        found = findings(settings)
    if as_json:
        print(json.dumps({"ok": all(one.ok for one in found), "parts": [asdict(one) for one in found]}))
    else:
        marks((one.ok, one.part, one.found) for one in found)
    sys.exit(0 if all(one.ok for one in found) else 1)
