"""`towpath docs`: the reference pages, written from the code."""

from __future__ import annotations

from pathlib import Path

import typer

from bot.cli.main import app
from bot.settings import PREFIX, Settings
from commands.registry import load

HEAD = "<!-- Written by `towpath docs` from the code; change it there. -->\n\n"


def commands_page() -> str:
    """docs/commands.md: from what each command registers."""
    lines = [
        HEAD + "# Commands\n",
        "On a pull request a command is a line of a comment that starts with `/`. In Slack it follows the slash command",
        "(`/infra plan staging #12`) or a mention of the bot, or it is a card's button, which says itself what it is for.",
        "In a card's thread `#12` may be left out. `owner/name#12` names the repository too, which the channel then remembers",
        "for those who are linked and may see it. Several commands in one comment run",
        "in order, ten at most. What stands in code, quotes or lists is left alone, and so is an edited comment.\n",
        "| Command | What it does | Who may use it |",
        "|---|---|---|",
    ]
    every = load().values()
    lines += [
        f"| [`{shown(one.name, one.help.usage)}`](#{one.name}) | {one.help.summary} | {who(one.role)} |"
        for one in every
    ]
    for one in every:
        lines += [f"\n## {one.name}\n", f"`{shown(one.name, one.help.usage)}`\n", one.help.description, ""]
        if one.help.aliases:
            lines.append(f"Also: {', '.join(f'`/{alias}`' for alias in one.help.aliases)}.")
        lines.append(f"Examples: {', '.join(f'`{example}`' for example in one.help.examples)}.")
    return "\n".join(lines) + "\n"


def shown(name: str, usage: str) -> str:
    """A command with its usage, safe in a table's cell."""
    return f"/{name} {usage}".strip().replace("|", "\\|")


def who(role: str) -> str:
    """A role in words."""
    return (
        "everybody who can see the repository" if role in ("none", "read") else f"the `{role}` role and above"
    )


def settings_page() -> str:
    """docs/settings.md: from the fields of Settings."""
    lines = [
        HEAD + "# Settings\n",
        "All settings are environment variables. Each environment's secrets are variables too, under its prefix",
        "(`STAGING_TOKEN` reaches staging's Terraform as `TOKEN`, and no other's), or lines of `secrets.toml` in the",
        "data directory.\n",
        "| Variable | Default | What it is for |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        variable = "PORT" if name == "port" else f"{PREFIX}{name.upper()}"
        plain = field.default if isinstance(field.default, str | int | bool) and field.default != "" else ""
        given = (
            f"`{plain}`"
            if plain != ""
            else {"data_dir": "`data`", "worker_name": "the host's name"}.get(name, "")
        )
        lines.append(f"| `{variable}` | {given} | {(field.description or '').replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


@app.command(hidden=True)
def docs(directory: Path = typer.Argument(Path("docs"), help="Where to write.")) -> None:
    """Write commands.md and settings.md."""
    (directory / "commands.md").write_text(commands_page())
    (directory / "settings.md").write_text(settings_page())
