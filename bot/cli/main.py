"""The `towpath` command: registers the files in this package and prints errors."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import typer

from bot.errors import UserError, reference

app = typer.Typer(
    name="towpath",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"towpath {metadata.version('towpath')}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Terraform by conversation: plan, promote, approve and undo from pull requests and Slack."""


def _modules(words: Sequence[str]) -> list[str]:
    """Return the modules with the commands that a command line needs: those named after its first word, or else all.
    To import all takes more than a second."""
    every = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])]
    named = [name for word in words for name in every if name == word or name.startswith(f"{word}_")]
    return named if set(words) & set(named) else every


def main() -> None:
    """Entry point of the console script: exit code 0 only on success."""
    from bot.terraform.process.status import make_undumpable

    make_undumpable()  # before any secret is read: a plan must not read them by /proc
    for name in _modules(sys.argv[1:2]):
        importlib.import_module(f"bot.cli.{name}")
    try:
        app(standalone_mode=True)
    except UserError as error:
        print(f"towpath: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:
        import structlog

        ticket = reference()
        structlog.get_logger().exception("the command failed", reference=ticket)
        print(
            f"towpath: internal error; the log above has the details under reference {ticket}.",
            file=sys.stderr,
        )
        sys.exit(1)
