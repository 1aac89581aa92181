"""`towpath demo`: the playground, on loopback."""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape

from bot.cli.main import app
from bot.cli.output import console
from bot.errors import UserError
from bot.sandbox import landlock

if TYPE_CHECKING:
    from bot.playground.shop import ShopDatabases

PATIENCE = 5.0
"""Seconds that a running Terraform gets to end by itself; the bot that stores its state has already stopped."""
EXTRA = ("tf", "grpc")
"""The modules of the optional extra `demo`, which serve the playground's provider."""


@app.command()
def demo(
    port: int = typer.Option(8090, help="Port of the page, on loopback; 0 picks a free one."),
    directory: Path | None = typer.Option(
        None,
        help="Keep all data in this new or empty directory. Default: a temporary one, removed at the end.",
    ),
    database_url: str = typer.Option("", help="Postgres URL for the bot. Default: SQLite."),
) -> None:
    """Serve the playground: a pull request on the left, Slack on the right, and the real bot with real Terraform.

    Nothing leaves this machine, and no account is needed: GitHub, Slack and the cloud are stand-ins. Ctrl-C stops it.
    """
    require_demo_extra("demo")
    from bot.playground.orphans import end_orphans
    from bot.playground.page.server import Page, listen
    from bot.playground.world import World

    told = threading.Event()
    terminal = console()
    with ExitStack() as stack:
        stack.enter_context(_stopping(told))
        listening = stack.enter_context(listen(port))
        place = stack.enter_context(_place(directory))
        stack.callback(end_orphans, place / "world" / "data", PATIENCE)
        shop = _shop(stack, terminal)
        world = World(place / "world", database_url=database_url, shop=shop)
        stack.callback(world.stop)
        try:
            with terminal.status("Starting stand-ins for GitHub, Slack and a cloud, and the bot …"):
                world.start()
            terminal.print(
                f"[green]✓[/] GitHub, Slack and a cloud (stand-ins), and the bot, pid {world.bot.pid}"
            )
            with terminal.status("Opening pull requests …"):
                world.propose("bigger-web", title="Bigger web server")
                world.propose("drop-dns", author="carol", title="Drop the DNS record")
            if not landlock.abi():
                terminal.print(
                    "[yellow]![/] No sandbox: this kernel has no Landlock, so plans can read all your files"
                )
            terminal.print("[green]✓[/] acme/infra with pull requests by ann and carol")
            if shop is not None:
                terminal.print("[green]✓[/] A shop's databases: prod, and staging for exports")
            page = stack.enter_context(Page(world, listening))
            terminal.print(
                f"[green]✓[/] The page\n\n  Open [bold]{page.url}[/]   (Ctrl-C stops everything)\n"
            )
            told.wait()
        except KeyboardInterrupt:
            pass
        except RuntimeError as failure:
            raise UserError(f"The demo did not start: {failure}") from None
        told.set()
        terminal.print("Stopping …")
    terminal.print("[green]✓[/] Stopped" + (f"; everything is in {directory}" if directory else ""))


def _shop(stack: ExitStack, terminal: Console) -> ShopDatabases | None:
    """Start the shop's databases until the stack ends; None, with the reason printed, where no Postgres can be started."""
    from bot.playground.postgres import NoPostgres
    from bot.playground.shop import running_shop
    from bot.playground.world import REPOSITORY

    try:
        with terminal.status("Starting a shop's databases …"):
            return stack.enter_context(running_shop(REPOSITORY))
    except NoPostgres as error:
        terminal.print(f"[yellow]![/] No databases, so nothing to export: {escape(str(error))}")
        return None


def require_demo_extra(command: str) -> None:
    """Raise UserError if the extra `demo`, which `towpath <command>` needs, is not installed."""
    if not all(find_spec(name) for name in EXTRA):
        raise UserError(
            f"`towpath {command}` needs the optional extra `demo`; install it with `pip install 'towpath[demo]'`."
        )


@contextmanager
def _place(directory: Path | None) -> Iterator[Path]:
    """Yield the directory for all data. Raises UserError if it is not empty or cannot be created."""
    if directory is None:
        made = Path(tempfile.mkdtemp(prefix="towpath-demo-"))
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return
    try:
        directory.mkdir(parents=True, exist_ok=True)
        taken = any(directory.iterdir())
    except OSError as error:
        raise UserError(
            f"{directory} cannot be used: {error.strerror}.", next_step="Name another directory."
        ) from None
    if taken:
        raise UserError(
            f"{directory} is not empty, and a demo begins anew.",
            next_step="Name an empty or a new directory.",
        )
    yield directory.resolve()


@contextmanager
def _stopping(told: threading.Event) -> Iterator[None]:
    """Let SIGINT and SIGTERM end the demo, during its start too. A second one while it stops has no effect."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        if not told.is_set():
            told.set()
            raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
