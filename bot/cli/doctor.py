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
from bot.cli.output import document, marks, working
from bot.cli.secrets_check import facts, told
from bot.domain.ports.chat import ChatError
from bot.domain.ports.forge import ForgeError
from bot.domain.secrets import SecretsReport
from bot.errors import TransientError, UserError
from bot.render.documents.secrets import secrets_overview
from bot.services.secrets import Examined, examine_secrets
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


@dataclass(frozen=True)
class Diagnosis:
    """All findings, and which secrets are set in each environment."""

    findings: tuple[Finding, ...]
    secrets: tuple[SecretsReport, ...] = ()

    @property
    def ok(self) -> bool:
        return all(one.ok for one in self.findings)


def diagnose(settings: Settings) -> Diagnosis:
    """Check everything that a process needs the way it would use it. Only the database's schema may be migrated."""
    bot = Bot(settings)
    try:
        findings = _parts(bot)
        examined: list[Examined] = []

        def secrets() -> str:
            examined.extend(examine_secrets(bot.context))
            return "no repository yet"

        if all(one.ok for one in findings):
            found = look("secrets", secrets)
            findings += [Finding(*told(one)) for one in examined] or [found]
        else:
            findings.append(
                Finding("secrets", ok=False, found="not checked, since something else does not work")
            )
        findings.append(
            Finding(
                "settings",
                ok=not settings.missing(),
                found=" ".join([*settings.missing(), *settings.turned_off()]) or "complete",
            )
        )
        return Diagnosis(tuple(findings), tuple(one.report for one in examined if one.report))
    finally:
        bot.close()


def _parts(bot: Bot) -> list[Finding]:

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

    return [
        look("database", lambda: f"{bot.database.dialect}, migrated, opens with our key"),
        look("engine", engine),
        look("sandbox", sandbox),
        look("git", git),
        look("GitHub", lambda: f"signed in as {bot.forge.me()}"),
        look("Slack", slack),
    ]


@app.command()
def doctor(as_json: bool = typer.Option(False, "--json", help="Print one JSON object.")) -> None:
    """Check every part that a process needs, and list which secrets are set. Exit code 1 if something does not work."""
    settings = load()
    logs.configure(hidden_values(settings), as_json=settings.log_json)
    with working("Checking each part"):
        found = diagnose(settings)
    if as_json:
        parts = [asdict(one) for one in found.findings]
        print(json.dumps({"ok": found.ok, "parts": parts, "secrets": [facts(one) for one in found.secrets]}))
    else:
        marks((one.ok, one.part, one.found) for one in found.findings)
        if (overview := secrets_overview(found.secrets)).elements:
            print()
            document(overview)
    sys.exit(0 if found.ok else 1)
