"""The only module that knows every adapter: from settings to running parts."""

from __future__ import annotations

import threading
from functools import cached_property
from pathlib import Path

import structlog
from starlette.applications import Starlette

from bot.domain.policy import Policy
from bot.domain.ports.inbox import Delivery, Inbox
from bot.domain.ports.store import Tables
from bot.domain.ports.terraform import Engine
from bot.domain.requests import Request
from bot.domain.results import Result
from bot.domain.run import Origin
from bot.environment import secrets_of, seen_by_git
from bot.errors import UserError
from bot.git.mirrors import Mirrors
from bot.github.client import GitHub, connect, paced
from bot.github.deliveries import MISSED
from bot.intake import github as github_intake
from bot.intake import slack as slack_intake
from bot.intake.modals import Modals
from bot.runs import alive
from bot.runs.clock import Clock
from bot.runs.dispatcher import Dispatcher
from bot.runs.durable import Durable, Handlers
from bot.runs.inbox import handle
from bot.runs.lost import lost
from bot.runs.reaper import Reaper
from bot.services import breaking, drifting, executing, locking, looking, planning, retention, upkeep, waiting
from bot.services.context import Context, utcnow
from bot.services.laptops import Laptops
from bot.services.targets import default_policy
from bot.settings import Settings, process_environment
from bot.slack.app import SlackApp, build_app
from bot.slack.chat import Slack, web_client
from bot.slack.socket_mode import SocketMode
from bot.smoke import Checker
from bot.state.backend import Backend as StateBackend
from bot.state.bucket import Keys as BucketKeys
from bot.state.places import Backends, knows_lockfile
from bot.state.routes import routes as state_routes
from bot.storage.crypto import Vault
from bot.storage.database import Database
from bot.storage.inbox import open_inbox
from bot.storage.key import load_key
from bot.storage.migrate import migrate
from bot.surfaces import reply
from bot.surfaces.projections import projections
from bot.surfaces.projector import Projector
from bot.terraform import memory
from bot.terraform.engine import discover
from bot.terraform.runner import Runner
from bot.web import artifacts, console, laptops, metrics
from bot.web.app import build
from bot.web.keys import Keys

log = structlog.get_logger()


class Bot:
    """One process of Towpath. `start_worker`, `start_clock` and `app` are its roles; a part is made when first used."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._dispatcher: Dispatcher | None = None

    @cached_property
    def key(self) -> str:
        return load_key(self.settings.secret_key.get_secret_value() or None, self.settings.data_dir)

    @cached_property
    def database(self) -> Database:
        """Migrated, and proven to open with our key. Raises UserError."""
        database = Database(self.settings.database, Vault(self.key))
        migrate(database.engine)
        database.check_key()
        return database

    @cached_property
    def front(self) -> Database:
        """The same one, by connections of its own, for what is done while a platform waits for an answer: those of the
        work may all be waiting for one lock."""
        return Database(
            self.database.engine.url.render_as_string(hide_password=False),
            self.database.vault,
            pool=3,
            spare=3,
        )

    @cached_property
    def inbox(self) -> Inbox:
        return open_inbox(self.front, self.settings.data_dir / "inbox.db")

    @cached_property
    def keys(self) -> Keys:
        return Keys(self.key)

    @cached_property
    def forge(self) -> GitHub:
        """GitHub. Raises UserError where no credentials are set."""
        settings = self.settings
        if not settings.github_on:
            raise UserError(
                "GitHub is off.",
                next_step="Set TOWPATH_GITHUB_APP_ID and its private key, or TOWPATH_GITHUB_TOKEN.",
            )
        return connect(
            settings.github_api_url,
            app_id=settings.github_app_id,
            private_key=settings.private_key,
            token=settings.github_token.get_secret_value(),
            bucket=paced(settings.github_writes_per_minute),
        )

    @cached_property
    def chat(self) -> Slack | None:
        settings = self.settings
        if not settings.slack_on:
            return None
        return Slack(settings.slack_bot_token.get_secret_value(), api_url=settings.slack_api_url)

    @cached_property
    def slack_app(self) -> SlackApp | None:
        settings = self.settings
        if not settings.slack_on:
            return None
        modals = Modals(self.front, utcnow)
        return build_app(
            web_client(settings.slack_bot_token.get_secret_value(), api_url=settings.slack_api_url),
            settings.slack_signing_secret.get_secret_value(),
            command_name=settings.slack_command,
            on_delivery=slack_intake.keep(self.inbox, self.ring),
            on_open_modal=modals.open,
            on_submit=modals.check,
        )

    @cached_property
    def work(self) -> Durable:
        """Named and locked: no second process of this name takes durable work."""
        name, life = alive.claim(self.database.engine, self.settings.data_dir, self.settings.worker_name)
        self._life = life
        self.worker = name
        return Durable(self.database.engine, name, self.settings.slots)

    @cached_property
    def context(self) -> Context:
        """The ports, wired for the services."""
        settings, environment = self.settings, process_environment()
        work = self.work
        engine = self.engine()
        store = self.database
        return Context(
            store=store,
            forge=self.forge,
            git=Mirrors(settings.data_dir, environment=seen_by_git(environment)),
            terraform=Runner(
                engine,
                settings.data_dir / "terraform",
                memory.pace(memory.total(), settings.slots) | environment,
                cli_config=Path(settings.terraform_cli_config) if settings.terraform_cli_config else None,
            ),
            backends=Backends(
                store,
                base_url=settings.public_url or settings.local_address,
                directory=settings.data_dir / "private",
                bucket=settings.s3_bucket,
                endpoint=settings.s3_endpoint_url,
                region=settings.s3_region,
                lockfile=knows_lockfile(engine.version),
                keys=BucketKeys(
                    settings.s3_access_key_id.get_secret_value(),
                    settings.s3_secret_access_key.get_secret_value(),
                ),
            ),
            secrets=lambda prefix: secrets_of(prefix, settings.data_dir),
            work=work,
            turns=threading.Semaphore(settings.slots),
            smoke=Checker(environment),
            data_dir=settings.data_dir,
            worker=self.worker,
            address=settings.address,
            slash=settings.slack_command,
            channel=settings.slack_channel,
            logins=settings.slack_logins,
            team=self.chat.team if self.chat else lambda: "",
            hidden=tuple(settings.secrets()),
            tell=self.tell,
            link=lambda run_id: self.keys.link(settings.address, console.page_of(run_id)),
            ended=metrics.ended,
            poke=self.projector.poke,
        )

    @cached_property
    def projector(self) -> Projector:
        chat, settings = self.chat, self.settings
        shown = projections(chat, settings.slack_channel, settings.slack_command)
        return Projector(lambda: self.context, shown)

    def tell(self, tables: Tables, origin: Origin, repository: str, pull: int, result: Result) -> None:
        reply.want(tables, utcnow(), self.settings.slack_command, origin, repository, pull, result)

    def ring(self) -> None:
        """A delivery was kept: the dispatcher of this process, if it has one, looks now."""
        if self._dispatcher is not None:
            self._dispatcher.wake()

    def understand(self, delivery: Delivery) -> list[Request]:
        if delivery.platform == "slack":
            return slack_intake.understand(delivery)
        return github_intake.understand(delivery, self.forge.me)

    def app(self) -> Starlette:
        """The web entry: webhooks, Slack, the state backend, the console."""
        return build(
            github=github_intake.GitHubDoor(
                self.inbox, self.settings.github_webhook_secret.get_secret_value(), self.ring
            ),
            slack=self.slack_app,
            ready=self.not_ready,
            metrics_token=self.settings.metrics_token.get_secret_value(),
            routes=[
                *laptops.routes(lambda: self.context),
                *state_routes(StateBackend(self.database, claims=Laptops(utcnow, self.policy))),
                *console.routes(self.database, self.keys),
                *artifacts.routes(self.database, self.keys, utcnow),
            ],
        )

    def policy(self, repository: str) -> Policy | None:
        """What the default branch says, for laptops. Raises as `default_policy`."""
        return default_policy(self.context, repository, laptops.FRESH)

    def start_worker(self) -> None:
        """Take up durable work, dispatch deliveries, project surfaces."""
        context = self.context
        self.work.start(
            Handlers(
                delivery=lambda key: handle(context, self.inbox, self.understand, key),
                plan=lambda key: planning.perform(context, key),
                apply=lambda key: executing.perform(context, key),
                drift=lambda key: looking.perform(context, key),
                broken=lambda key, error, ticket: breaking.broken(context, key, error, ticket),
                lost=lambda key, _error, ticket: lost(context, self.inbox, self.understand, key, ticket),
            )
        )
        self._dispatcher = Dispatcher(self.inbox, self.database, self.work)
        self._dispatcher.start()
        self._reaper = Reaper(
            self.database,
            self.work,
            self.worker,
            self._life,
            lambda name: alive.take(self.database.engine, self.settings.data_dir, name),
            utcnow,
        )
        self._reaper.start()
        self.projector.start()
        self._housekeeping = Clock({"worktrees": (600.0, lambda: upkeep.tidy(context))})
        self._housekeeping.start()
        if (token := self.settings.slack_app_token.get_secret_value()) and self.slack_app is not None:
            self._socket = SocketMode(self.slack_app, token, api_url=self.settings.slack_api_url).start()
        log.info("worker started", worker=self.worker, engine=context.terraform.engine.identity)

    def start_clock(self) -> None:
        """Upkeep that is harmless to do twice; a worker does that of its own directories itself."""
        context = self.context
        self.work.connect()
        self._clock = Clock(
            {
                "locks": (30.0, lambda: locking.sweep(context)),
                "approvals": (5.0, lambda: waiting.look_after(context)),
                "drift": (60.0, lambda: drifting.schedule(context)),
                "gates": (60.0, lambda: waiting.show_again(context)),
                "holders": (600.0, lambda: locking.refresh_holders(context)),
                "retention": (3600.0, lambda: retention.forget(context, self.inbox)),
                "redelivery": (600.0, lambda: self.forge.redeliver_missed(utcnow() - MISSED)),
            }
        )
        self._clock.start()

    def rest(self) -> bool:
        """Stop taking work, and let what runs end for some seconds, shown to the last; False where some of it goes on."""
        for part in ("_clock", "_housekeeping", "_socket", "_dispatcher"):
            if (found := getattr(self, part, None)) is not None:
                (found.close if isinstance(found, SocketMode) else found.stop)()
        idle = self.work.stop() if "work" in vars(self) else True
        if "projector" in vars(self):
            self.projector.stop()
        if (reaper := getattr(self, "_reaper", None)) is not None:
            reaper.stop()
        return idle

    def close(self) -> None:
        """Let go of the worker's name and of the database."""
        if "work" in vars(self):
            self._life.release()
        for part in ("front", "database"):
            if part in vars(self):
                vars(self)[part].close()

    def not_ready(self) -> dict[str, str]:
        """What keeps this process from working, by part; empty when all is well."""
        problems = {}
        try:
            with self.database.read() as tables:
                tables.locks.all()
        except Exception as error:
            problems["database"] = type(error).__name__
        try:
            self.engine()
        except UserError as error:
            problems["engine"] = str(error)
        return problems

    def engine(self) -> Engine:
        """Terraform or OpenTofu. Raises UserError. Asked again it costs a look at the file."""
        path = process_environment().get("PATH")
        return discover(
            self.settings.terraform_bin or None, path=path, data=self.settings.data_dir / "terraform"
        )
