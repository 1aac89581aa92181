"""`towpath doctor`: what is set, what works, what is missing."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

import typer

from bot import logs
from bot.cli.main import app
from bot.domain.ports.chat import ChatError
from bot.domain.ports.forge import ForgeError
from bot.errors import TransientError, UserError
from bot.settings import Settings, load
from bot.wiring import Bot


@dataclass(frozen=True)
class Finding:
    """One part: `ok`, and what was found or what to do."""

    part: str
    ok: bool
    found: str


def look(part: str, check: Callable[[], str]) -> Finding:
    """Run one check; its errors are findings."""
    try:
        return Finding(part, ok=True, found=check())
    except (UserError, TransientError, ForgeError, ChatError) as error:
        return Finding(part, ok=False, found=str(error))
    except Exception as error:
        return Finding(part, ok=False, found=f"{type(error).__name__}: {error}"[:300])


def findings(settings: Settings) -> list[Finding]:
    """Everything a process needs, looked at as it would use it. Nothing is changed but the database's version."""
    bot = Bot(settings)

    def engine() -> str:
        found = bot.engine()
        return f"{found.identity}{' (embedded)' if found.embedded else f' at {found.executable}'}"

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
            look("git", git),
            look("GitHub", lambda: f"signed in as {bot.forge.me()}"),
            look("Slack", slack),
            Finding(
                "settings",
                ok=all(note.startswith("Slack is off") for note in settings.missing()),
                found=" ".join(settings.missing()) or "complete",
            ),
        ]
    finally:
        bot.close()


@app.command()
def doctor(as_json: bool = typer.Option(False, "--json", help="One JSON object instead of lines.")) -> None:
    """Look at every part that a process needs; exit code 1 where something does not work."""
    settings = load()
    logs.configure(settings.secrets(), as_json=settings.log_json)
    found = findings(settings)
    if as_json:
        print(json.dumps({"ok": all(one.ok for one in found), "parts": [asdict(one) for one in found]}))
    else:
        for one in found:
            print(f"{'✓' if one.ok else '✗'} {one.part:<9} {one.found}")
    sys.exit(0 if all(one.ok for one in found) else 1)
