"""The only module that knows every adapter: from settings to running parts."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import structlog
from starlette.applications import Starlette

from bot.chat.deliveries import handle_delivery, note_pushers
from bot.chat.given_up import report_given_up
from bot.domain.chat import Reply, Request
from bot.domain.env_allowlist import inherited
from bot.domain.plans import PlanLimits
from bot.domain.policy import BackendPolicy, Policy
from bot.domain.ports.exports import Exporter
from bot.domain.ports.inbox import Delivery, Inbox
from bot.domain.ports.store import Tables
from bot.domain.ports.terraform import Engine
from bot.domain.ports.work import Work
from bot.domain.run import Origin
from bot.env_filter import git_environment
from bot.errors import UserError
from bot.exports import Location, SandboxedExporter
from bot.git.mirrors import Mirrors
from bot.github.client import GitHub, connect, write_bucket
from bot.github.deliveries import LOOKBACK
from bot.github.tokens import AppCredentials
from bot.intake import github as github_intake
from bot.intake import slack as slack_intake
from bot.intake.modals import Modals
from bot.jobs import liveness
from bot.jobs.clock import Clock
from bot.jobs.dispatcher import Dispatcher
from bot.jobs.durable import APPLIES, EXPORTS, INBOX, PLANS, REPLANS, Durable, Handlers
from bot.jobs.reaper import Reaper
from bot.render.command_style import CommandStyle
from bot.sandbox import Access, Sandbox, open_sandbox
from bot.secrets import SecretsCommand, SecretSources, read_file
from bot.services.access import LocalRuns
from bot.services.applies import end_failed_run, execute_apply, refresh_gates, tend_approvals
from bot.services.context import Context, Delegate, no_slack, utcnow
from bot.services.drift import execute_drift_check, schedule_drift_checks
from bot.services.exports import end_failed_export, execute_export, schedule_exports
from bot.services.identity import rotate_keys
from bot.services.locks import refresh_holders, sweep_locks
from bot.services.maintenance import delete_expired, tidy_worktrees
from bot.services.plans import execute_plan
from bot.services.previews import (
    adopt_from_buckets,
    execute_destroy,
    execute_sleep,
    settle_run,
    sweep_instances,
)
from bot.services.pulls import confirm_repositories, replan_dependents
from bot.services.runner import apply_elsewhere, plan_elsewhere
from bot.services.runs import sweep_waiting_runs
from bot.services.sync import execute_sync, sweep_syncs
from bot.services.targets import default_policy
from bot.settings import PREFIX, Settings, environment_of_runs, process_environment
from bot.slack.app import SlackApp, build_app
from bot.slack.chat import Slack, web_client
from bot.slack.listeners import SlackHandlers
from bot.slack.socket_mode import SocketMode
from bot.smoke import Checker
from bot.state.backend import Backend as StateBackend
from bot.state.backends import Backends, knows_lockfile
from bot.state.bucket import Keys as BucketKeys
from bot.state.routes import routes as state_routes
from bot.storage.database import Database
from bot.storage.inbox import open_inbox
from bot.storage.key import load_key, stored_keys
from bot.storage.migrate import migrate
from bot.surfaces.projector import Projector
from bot.surfaces.registry import projections
from bot.surfaces.reply import queue_reply
from bot.terraform.cli import gc_tuning
from bot.terraform.cli.discovery import discover
from bot.terraform.cli.runner import Runner
from bot.vault import SHORTEST_KEY, Vault, subkeys
from bot.web import artifacts, console, exports, identity, local_runs, metrics, plan_page
from bot.web.app import build
from bot.web.keys import Keys

log = structlog.get_logger()


def hidden_values(settings: Settings) -> list[str]:
    """Return what no log and no output may show: the secret settings, and the key that was generated for want of one."""
    return list(dict.fromkeys([*settings.secrets(), *stored_keys(settings.data_dir)]))


def secret_sources(settings: Settings) -> SecretSources:
    """Return where the static secrets of environments come from."""
    command = None
    if words := shlex.split(settings.secrets_command):
        command = SecretsCommand(
            words,
            inherited(process_environment()) | settings.command_environment,
            timeout=settings.secrets_command_timeout,
            keep=settings.secrets_command_cache,
        )
    return SecretSources(
        environment_of_runs(settings), partial(read_file, settings.secrets_path), command, own=PREFIX
    )


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
            app=AppCredentials(settings.github_app_id, settings.private_key),
            token=settings.github_token.get_secret_value(),
            bucket=write_bucket(settings.github_writes_per_minute),
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
        modals = Modals(self.front, utcnow, self.plan_link)
        return build_app(
            web_client(settings.slack_bot_token.get_secret_value(), api_url=settings.slack_api_url),
            settings.slack_signing_secret.get_secret_value(),
            command_name=settings.slack_command,
            handlers=SlackHandlers(
                slack_intake.delivery_store(self.inbox, self.ring), modals.open, modals.check
            ),
        )

    @cached_property
    def work(self) -> Durable:
        """Named and locked: no second process of this name takes durable work."""
        name, life = liveness.claim_name(
            self.database.engine, self.settings.data_dir, self.settings.worker_name
        )
        self._life = life
        self.worker = name
        return Durable(self.database.engine, name, self.settings.slots)

    @cached_property
    def sandbox(self) -> Sandbox:
        """Raises UserError if this machine cannot confine Terraform, or Terraform could see what is ours all the same."""
        settings = self.settings
        key_file = settings.github_private_key_file
        return open_sandbox(
            settings.sandbox,
            process_environment(),
            also=Access(
                tuple(filter(None, settings.sandbox_read.split(":"))),
                tuple(filter(None, settings.sandbox_write.split(":"))),
            ),
            hidden=[settings.data_dir, settings.secrets_path, *([Path(key_file)] if key_file else [])],
        )

    @cached_property
    def context(self) -> Context:
        """The ports, wired for the services."""
        work = self.work
        address = self.settings.public_url or self.settings.local_address
        context = self.context_with(work, self.worker, address)
        return replace(context, delegate=self._delegate(), exporter=self.exporter)

    def _delegate(self) -> Delegate:
        """Hands runs over to GitHub Actions. Raises UserError for a key that is too short, or opens more than results."""
        keys = [key.strip() for key in self.settings.actions_key.get_secret_value().split(",") if key.strip()]
        if set(keys) & {key.strip() for key in self.key.split(",")} or any(
            len(key) < SHORTEST_KEY for key in keys
        ):
            raise UserError(
                f"TOWPATH_ACTIONS_KEY needs at least {SHORTEST_KEY} random characters, and must not be TOWPATH_SECRET_KEY: "
                "that one opens the bot's database.",
                next_step="Make one with `openssl rand -hex 32`, for the bot and for the workflow.",
            )
        unseal = Vault(",".join(keys) or self.key).open
        return Delegate(next(iter(keys), ""), unseal, plan_elsewhere, apply_elsewhere)

    @cached_property
    def exporter(self) -> Exporter:
        """Each step of an export runs in a worker, in the sandbox."""
        settings = self.settings
        location = Location(
            settings.export_bucket,
            settings.s3_endpoint_url,
            settings.s3_region,
            settings.s3_access_key_id.get_secret_value(),
            settings.s3_secret_access_key.get_secret_value(),
            "" if settings.export_bucket else str(settings.data_dir / "exports"),
        )
        directory = settings.data_dir / "export-work"
        return SandboxedExporter(
            location, self.sandbox, process_environment(), directory, subkeys(self.key, "exports")
        )

    def context_with(self, work: Work, worker: str, state_url: str) -> Context:
        """The same with other work. worker: this process's name. state_url: where Terraform reaches the built-in backend,
        "" if there is none."""
        settings, environment = self.settings, process_environment()
        engine = self.engine()
        store = self.database
        return Context(
            store=store,
            forge=self.forge,
            git=Mirrors(
                settings.data_dir,
                environment=git_environment(environment),
                max_paths=settings.max_paths,
            ),
            terraform=Runner(
                engine,
                settings.data_dir / "terraform",
                gc_tuning.gc_variables(gc_tuning.available_memory(), settings.slots) | environment,
                sandbox=self.sandbox,
                cli_config=Path(settings.terraform_cli_config) if settings.terraform_cli_config else None,
            ),
            backends=Backends(
                store,
                base_url=state_url,
                directory=settings.data_dir / "private",
                defaults=BackendPolicy(
                    bucket=settings.s3_bucket,
                    endpoint=settings.s3_endpoint_url,
                    region=settings.s3_region,
                ),
                lockfile=knows_lockfile(engine.version),
                keys=BucketKeys(
                    settings.s3_access_key_id.get_secret_value(),
                    settings.s3_secret_access_key.get_secret_value(),
                ),
            ),
            secrets=secret_sources(settings),
            work=work,
            plan_limits=PlanLimits(settings.plans_per_person, settings.plans_per_pull),
            turns=threading.Semaphore(settings.slots),
            smoke=Checker(environment, self.sandbox),
            data_dir=settings.data_dir,
            worker=worker,
            address=settings.address,
            slash=settings.slack_command,
            channel=settings.slack_channel,
            logins=settings.slack_logins,
            team=self.chat.team if self.chat else lambda: "",
            slack_user=self.chat.user if self.chat else no_slack,
            hidden=tuple(hidden_values(settings)),
            issuer=settings.issuer,
            tell=self.tell,
            link=lambda run_id: self.keys.link(settings.address, console.run_path(run_id)),
            plan_link=self.plan_link,
            export_link=lambda export_id: self.keys.link(settings.address, exports.export_path(export_id)),
            ended=metrics.record_run,
        )

    @cached_property
    def projector(self) -> Projector:
        chat, settings = self.chat, self.settings
        shown = projections(chat, settings.slack_channel, settings.slack_command)
        return Projector(lambda: self.context, shown)

    def plan_link(self, plan_id: str) -> str:
        """Return the address of the page with all that a plan changes."""
        return self.keys.link(self.settings.address, plan_page.plan_path(plan_id))

    def tell(self, tables: Tables, origin: Origin, repository: str, pull: int, result: Reply) -> None:
        style = CommandStyle(self.settings.slack_command, pull, repository)
        queue_reply(tables, utcnow(), style, origin, result)

    def ring(self) -> None:
        """Wake the dispatcher of this process, if it has one, since a delivery was stored."""
        if self._dispatcher is not None:
            self._dispatcher.wake()

    def understand(self, delivery: Delivery) -> list[Request]:
        if delivery.platform == "slack":
            return slack_intake.parse_requests(delivery)
        return github_intake.parse_requests(delivery, self.forge.me)

    def app(self) -> Starlette:
        """The web entry: webhooks, Slack, the state backend, the console."""
        return build(
            github=github_intake.GitHubIntake(
                self.inbox, self.settings.github_webhook_secret.get_secret_value(), self.ring
            ),
            slack=self.slack_app,
            ready=self.not_ready,
            metrics_token=self.settings.metrics_token.get_secret_value(),
            measure=lambda: metrics.measure_instances(self.database),
            routes=[
                *local_runs.routes(lambda: self.context),
                *state_routes(StateBackend(self.database, claims=LocalRuns(utcnow, self.policy))),
                *console.routes(self.database, self.keys, utcnow, self.settings.turned_off()),
                *exports.routes(self.database, self.keys),
                *identity.routes(self.database, self.settings.issuer),
                *plan_page.routes(self.database, self.keys, utcnow),
                *artifacts.routes(self.database, utcnow),
            ],
        )

    def policy(self, repository: str) -> Policy | None:
        """What the default branch says, for laptops. Raises as `default_policy`."""
        return default_policy(self.context, repository, local_runs.POLICY_MAX_AGE)

    def start_worker(self) -> None:
        """Take up durable work, dispatch deliveries, project surfaces."""
        context = self.context

        def settled(execute: Callable[[Context, str], None]) -> Callable[[str], None]:
            """Carry out a run, then let its instance go on."""

            def carry_out(key: str) -> None:
                execute(context, key)
                settle_run(context, key)

            return carry_out

        self.work.start(
            Handlers(
                delivery=lambda key: handle_delivery(context, self.inbox, self.understand, key),
                plan=settled(execute_plan),
                apply=settled(execute_apply),
                destroy=settled(execute_destroy),
                sleep=settled(execute_sleep),
                drift=lambda key: execute_drift_check(context, key),
                sync=lambda key: execute_sync(context, key),
                export=lambda key: execute_export(context, key),
                unexported=lambda key, error, ticket: end_failed_export(context, key, error, ticket),
                replans=lambda key: replan_dependents(context, key.removeprefix(REPLANS)),
                broken=lambda key, error, ticket: settled(
                    lambda _context, run_id: end_failed_run(context, run_id, error, ticket)
                )(key),
                lost=lambda key, _error, ticket: report_given_up(
                    context, self.inbox, self.understand, key, ticket
                ),
            )
        )
        for queue in (INBOX, PLANS, APPLIES, EXPORTS):
            self.database.listen(queue, partial(self.work.wake, queue))
        self.database.listen("surfaces", self.projector.poke)
        self._dispatcher = Dispatcher(
            self.inbox, self.database, self.work, partial(note_pushers, self.understand)
        )
        self._dispatcher.start()
        self._reaper = Reaper(
            self.database,
            self.work,
            self.worker,
            self._life,
            lambda name: liveness.take_lock(self.database.engine, self.settings.data_dir, name),
            utcnow,
        )
        self._reaper.start()
        self.projector.start()
        self._housekeeping = Clock({"worktrees": (600.0, lambda: tidy_worktrees(context))})
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
                "locks": (30.0, lambda: sweep_locks(context)),
                "waiting runs": (60.0, lambda: sweep_waiting_runs(context)),
                "approvals": (5.0, lambda: tend_approvals(context)),
                "drift": (60.0, lambda: schedule_drift_checks(context)),
                "instances": (15.0, lambda: sweep_instances(context)),
                "instances in buckets": (600.0, lambda: adopt_from_buckets(context)),
                "syncs": (10.0, lambda: sweep_syncs(context)),
                "exports": (15.0, lambda: schedule_exports(context)),
                "gates": (60.0, lambda: refresh_gates(context)),
                "holders": (600.0, lambda: refresh_holders(context)),
                "signing keys": (60.0, lambda: rotate_keys(context)),
                "retention": (3600.0, lambda: delete_expired(context, self.inbox)),
                "repositories": (3600.0, lambda: confirm_repositories(context)),
                "redelivery": (600.0, lambda: self.forge.redeliver_missed(utcnow() - LOOKBACK)),
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
