"""`towpath up`, `web`, `worker`, `clock`: the processes."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading

import structlog
import typer

from bot import logs
from bot.cli.main import app
from bot.errors import UserError
from bot.settings import Settings, load
from bot.storage.key import load_key
from bot.web.server import GRACE, http_server
from bot.web.sockets import listening_socket, raise_file_limit
from bot.wiring import Bot, hidden_values

log = structlog.get_logger()

TURN = 0.001
"""Python's switch interval in seconds (default 0.005): a response needs a dozen turns, each behind all busy threads, and
platforms wait for it."""
STOP = (signal.SIGINT, signal.SIGTERM)


def begin(**overrides: object) -> Settings:
    """Read the settings, set up logging, and log which parts are off."""
    settings = load(**{name: value for name, value in overrides.items() if value is not None})
    load_key(
        settings.secret_key.get_secret_value() or None, settings.data_dir
    )  # so that it is redacted from the start
    logs.configure(hidden_values(settings), as_json=settings.log_json)
    for note in [*settings.missing(), *settings.turned_off()]:
        log.warning(note)
    return settings


def serve(bot: Bot, settings: Settings, *, work: bool) -> None:
    """Serve HTTP until a signal; with `work` also run the worker and the clock.

    Work stops first, so that a Terraform that is finishing can still reach the state backend.
    """
    try:
        listener = listening_socket(settings.host, settings.port)
    except OSError as error:
        raise UserError(
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror or error}.",
            next_step="Stop the process that uses it, or set PORT or TOWPATH_HOST.",
        ) from None
    server = http_server(bot.app(), settings, raise_file_limit())
    sys.setswitchinterval(TURN)
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="http", daemon=True)
    serving.start()
    if work:
        bot.start_worker()
        bot.start_clock()
    settle()
    log.info("listening", address=settings.address, console=bot.keys.link(settings.address, ""))
    wait()
    idle = bot.rest()
    server.should_exit = True
    serving.join(GRACE + 5)
    end(bot, idle=idle)


def settle() -> None:
    """Exclude the objects made during start-up (some 200,000: modules, models, routes) from garbage collection. A full
    collection stopped all threads for 120 ms and made up the slowest 1 % of responses under load; now it takes less than
    20 ms."""
    gc.collect()
    gc.freeze()


def end(bot: Bot, *, idle: bool) -> None:
    """Exit. Running work is abandoned: each Terraform's supervisor interrupts it once and records how it ended, and the
    next start reads that."""
    bot.close()
    if not idle:
        log.warning("work was still running; the next start resumes it")
        os._exit(0)


@app.command()
def up(
    host: str | None = typer.Option(None, help="Address to listen on (overrides TOWPATH_HOST)."),
    port: int | None = typer.Option(None, help="Port to listen on (overrides PORT)."),
) -> None:
    """Run web, worker and clock in one process: the default for one machine."""
    settings = begin(host=host, port=port)
    serve(Bot(settings), settings, work=True)


@app.command()
def web(
    host: str | None = typer.Option(None, help="Address to listen on (overrides TOWPATH_HOST)."),
    port: int | None = typer.Option(None, help="Port to listen on (overrides PORT)."),
) -> None:
    """Run HTTP only: webhooks, Slack, the state backend, the console. Needs Postgres and a separate worker."""
    settings = begin(host=host, port=port)
    serve(Bot(settings), settings, work=False)


@app.command()
def worker() -> None:
    """Run durable work only: plans, applies, and what people see of them."""
    bot = Bot(begin())
    bot.start_worker()
    settle()
    wait()
    end(bot, idle=bot.rest())


@app.command()
def clock() -> None:
    """Run the clock only: upkeep and schedules."""
    bot = Bot(begin())
    bot.start_clock()
    wait()
    end(bot, idle=bot.rest())


def wait() -> None:
    """Wait for SIGINT or SIGTERM. The system may deliver a signal to any thread, but Python runs handlers in the main thread
    only, and a main thread that waits for a lock would not notice. So it waits on a socket that each signal writes to."""
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        signal.set_wakeup_fd(writer.fileno())
        for number in STOP:
            signal.signal(number, lambda *_: None)
        while reader.recv(1)[0] not in STOP:
            continue
        signal.set_wakeup_fd(-1)
