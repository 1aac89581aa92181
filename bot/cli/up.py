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
import uvicorn

from bot import logs
from bot.cli.main import app
from bot.errors import UserError
from bot.settings import Settings, load
from bot.web.listening import listen
from bot.wiring import Bot

log = structlog.get_logger()

KEPT = 75
"""Seconds that an idle connection stays open: longer than clients keep theirs, so that none is closed under a request."""
TURN = 0.001
"""Seconds that one thread computes while others wait (Python's default is 0.005): an answer needs a dozen turns, each
behind all threads that work, and platforms wait for it."""
STOP = (signal.SIGINT, signal.SIGTERM)
GRACE = 10
"""Seconds that open requests get when the process is told to stop."""


def begin(**overrides: object) -> Settings:
    """Settings read, logs set up, and what is off told."""
    settings = load(**{name: value for name, value in overrides.items() if value is not None})
    logs.configure(settings.secrets(), as_json=settings.log_json)
    for note in settings.missing():
        log.warning(note)
    return settings


def serve(bot: Bot, settings: Settings, *, work: bool) -> None:
    """Serve HTTP until told to stop; with `work` also the worker and the clock.

    At the end the work stops first: a Terraform that finishes what it has begun still reaches the state backend.
    """
    try:
        listener = listen(settings.host, settings.port)
    except OSError as error:
        raise UserError(
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror or error}.",
            next_step="Stop what uses it, or set PORT or TOWPATH_HOST.",
        ) from None
    server = uvicorn.Server(
        uvicorn.Config(
            bot.app(),
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=GRACE,
            timeout_keep_alive=KEPT,
            server_header=False,
        )
    )
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
    """Leave what a start has made (modules, models, routes: some 200,000 objects) out of every later search for garbage.
    Each whole search stopped all threads for 120 ms, so that under load the slowest hundredth of the answers were those
    behind one; afterwards for less than 20."""
    gc.collect()
    gc.freeze()


def end(bot: Bot, *, idle: bool) -> None:
    """Leave. Work that goes on even now is left at once: each Terraform's supervisor interrupts it once and writes down
    how it ended, and the next start reads that."""
    bot.close()
    if not idle:
        log.warning("work was under way; the next start takes it up")
        os._exit(0)


@app.command()
def up(
    host: str | None = typer.Option(None, help="Address to listen on (TOWPATH_HOST)."),
    port: int | None = typer.Option(None, help="Port to listen on (PORT)."),
) -> None:
    """Web, worker and clock in one process: the default for one machine."""
    settings = begin(host=host, port=port)
    serve(Bot(settings), settings, work=True)


@app.command()
def web(
    host: str | None = typer.Option(None, help="Address to listen on (TOWPATH_HOST)."),
    port: int | None = typer.Option(None, help="Port to listen on (PORT)."),
) -> None:
    """HTTP only: webhooks, Slack, the state backend, the console. Needs Postgres and a worker beside it."""
    settings = begin(host=host, port=port)
    serve(Bot(settings), settings, work=False)


@app.command()
def worker() -> None:
    """Durable work only: plans, applies, and what people see of them."""
    bot = Bot(begin())
    bot.start_worker()
    settle()
    wait()
    end(bot, idle=bot.rest())


@app.command()
def clock() -> None:
    """The clock only: upkeep and schedules."""
    bot = Bot(begin())
    bot.start_clock()
    wait()
    end(bot, idle=bot.rest())


def wait() -> None:
    """Until SIGINT or SIGTERM. The system may hand a signal to any thread, and a main thread that sleeps on a lock would
    not learn of one that another thread got (Python runs handlers in the main thread alone): so it sleeps on a socket
    that each signal writes to."""
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        signal.set_wakeup_fd(writer.fileno())
        for number in STOP:
            signal.signal(number, lambda *_: None)
        while reader.recv(1)[0] not in STOP:
            continue
        signal.set_wakeup_fd(-1)
