"""`towpath docs`: write the reference pages from the code."""

from __future__ import annotations

from pathlib import Path

import typer

from bot.cli.main import app
from bot.settings import PREFIX, Settings
from commands.registry import load

HEAD = "<!-- Written by `towpath docs` from the code; change it there. -->\n\n"


def commands_page() -> str:
    """Return docs/commands.md, from what each command registers."""
    lines = [
        HEAD + "# Commands\n",
        "On a pull request a command is a line of a comment that starts with `/`. In Slack it follows the slash command",
        "(`/infra plan staging #12`) or a mention of the bot; a card's buttons run them too.",
        "In a card's thread `#12` may be left out. `owner/name#12` names the repository too; the channel remembers it",
        "for linked users who can see that repository. Several commands in one comment run",
        "in order, up to ten. Code, quotes, lists and edited comments are ignored.\n",
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
    """Return a command with its usage, escaped for a table cell."""
    return f"/{name} {usage}".strip().replace("|", "\\|")


def who(role: str) -> str:
    """Return a role in words."""
    return (
        "everybody who can see the repository" if role in ("none", "read") else f"the `{role}` role and above"
    )


def settings_page() -> str:
    """Return docs/settings.md, from the fields of Settings."""
    lines = [
        HEAD + "# Settings\n",
        "All settings are environment variables. So are the secrets of your environments, with the environment's prefix:",
        "`STAGING_TOKEN` is passed to Terraform as `TOKEN`, in staging only. `STAGING_PLAN_TOKEN` is `TOKEN` in its plans,",
        "`STAGING_APPLY_TOKEN` in its applies. [Secrets](secrets.md) can also come from a file or from a command.\n",
        "| Variable | Default | Description |",
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
def docs(directory: Path = typer.Argument(Path("docs"), help="Directory to write to.")) -> None:
    """Write commands.md and settings.md."""
    (directory / "commands.md").write_text(commands_page())
    (directory / "settings.md").write_text(settings_page())
