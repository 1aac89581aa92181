"""The bot's services on a laptop: the same adapters, with a database, a state backend and a pull request of its own."""

from __future__ import annotations

import getpass
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import cast

import uvicorn
from starlette.applications import Starlette

from bot import logs
from bot.cli.dev.desk import Desk
from bot.dev.local_forge import LocalForge
from bot.domain.actors import Actor
from bot.domain.exports import Export
from bot.domain.policy import Identity
from bot.domain.ports.forge import Forge, PullRequest, Repository
from bot.domain.ports.store import Store, Tables
from bot.domain.run import Run
from bot.env_filter import git_environment
from bot.git import LocalMirrors
from bot.secrets import SecretSources
from bot.services.context import Context
from bot.services.targets import PullContext, load_pull_context
from bot.settings import Settings, load, process_environment
from bot.smoke import Checker
from bot.state.backend import Backend as StateBackend
from bot.state.local_backends import LocalBackends
from bot.state.remote_backends import RemoteBackends, StateAccess
from bot.state.routes import routes as state_routes
from bot.terraform.cli.runner import Runner
from bot.web.sockets import listening_socket
from bot.wiring import Bot, hidden_values, secret_sources

OFF = (
    "github_token",
    "github_app_id",
    "slack_bot_token",
    "public_url",
    "database_url",
    "secret_key",
    "s3_bucket",
)
"""Settings of a bot that this process is not, even if the person's shell has them."""


class NoQueue:
    """Implements bot.domain.ports.work.Work where each command carries out its own runs."""

    def enqueue(self, run: Run, tables: Tables) -> None:
        """Nothing: whoever made the run carries it out."""

    def enqueue_export(self, export: Export, tables: Tables) -> None:
        """Nothing: exports run where the bot runs."""

    def enqueue_replans(self, applied: Run, tables: Tables) -> None:
        """Nothing: a laptop has no other pull requests."""

    def forget(self, _before: datetime, _limit: int) -> int:
        """There is no record of work that ended."""
        return 0


@dataclass(frozen=True)
class Local:
    """What a command of `towpath dev` works with. changed: paths that differ from HEAD, where they were taken along."""

    context: Context
    pull_context: PullContext
    actor: Actor
    changed: tuple[str, ...] = ()


def settings_for(data: Path, port: int = 0) -> Settings:
    """Return the person's settings (Terraform, sandbox) for a process whose data is in this directory."""
    return load(data_dir=data, host="127.0.0.1", port=port, slots=1, **dict.fromkeys(OFF, ""))


@contextmanager
def open_store(desk: Desk) -> Iterator[Store]:
    """Yield the laptop's database."""
    bot = Bot(settings_for(desk.make_private()))
    try:
        yield bot.database
    finally:
        bot.close()


@contextmanager
def open_local(
    desk: Desk, data: Path, *, pull: int = 1, uncommitted: bool, access: StateAccess | None = None
) -> Iterator[Local]:
    """Yield the services on the working copy (`uncommitted`), or on its latest commit.

    data: the directory for states and worktrees; what only saves time (mirrors, providers) is in the private one. pull: the
    number that the pull request has in `{pr}`. access: to the state on the team's bot, if that is used.
    """
    private = desk.make_private()
    with _listener(data) as listener:
        settings = settings_for(data, listener.getsockname()[1])
        bot = Bot(settings)
        logs.configure(hidden_values(settings), as_json=settings.log_json)
        bare = private / "published.git"
        commit = desk.copy.publish(bare, desk.default, uncommitted=uncommitted)
        context = _context(desk, bot, bare, _forge(desk, commit, pull), access)
        server = uvicorn.Server(
            uvicorn.Config(
                Starlette(routes=state_routes(StateBackend(bot.database))), log_level="warning", ws="none"
            )
        )
        serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        serving.start()
        try:
            _use_policy(context, desk)
            pull_context = load_pull_context(context, context.forge.pull(desk.copy.repository, pull))
            changed = tuple(desk.copy.changed()) if uncommitted else ()
            yield Local(context, pull_context, Actor(getpass.getuser(), via="terraform"), changed)
        finally:
            server.should_exit = True
            serving.join(5)
            bot.close()


def _listener(data: Path) -> socket.socket:
    """Listen on loopback, at the same port as the command before if it is free: a Terraform that outlived that command
    still tries to save its state there."""
    kept = data / "port"
    with suppress(OSError, ValueError):
        return listening_socket("127.0.0.1", int(kept.read_text()))
    listener = listening_socket("127.0.0.1", 0)
    kept.write_text(str(listener.getsockname()[1]))
    return listener


def laptop_secrets(settings: Settings, private: Path) -> SecretSources:
    """Return where a laptop's secrets come from: as on the bot, with `secrets.toml` in the working copy's own directory."""
    return secret_sources(settings.model_copy(update={"secrets_file": str(private / "secrets.toml")}))


def _context(desk: Desk, bot: Bot, bare: Path, forge: LocalForge, access: StateAccess | None) -> Context:
    settings, environment, private = bot.settings, process_environment(), desk.private
    return Context(
        store=bot.database,
        forge=cast("Forge", forge),  # it has the part that is used here
        git=LocalMirrors(private, bare, git_environment(environment)),
        terraform=Runner(
            bot.engine(),
            private / "terraform",
            environment,
            sandbox=bot.sandbox,
            cli_config=Path(settings.terraform_cli_config) if settings.terraform_cli_config else None,
        ),
        backends=RemoteBackends(bot.database, settings.data_dir / "private", access)
        if access
        else LocalBackends(
            bot.database, base_url=settings.local_address, directory=settings.data_dir / "private"
        ),
        secrets=laptop_secrets(settings, private),
        work=NoQueue(),
        smoke=Checker(environment, bot.sandbox),
        data_dir=settings.data_dir,
        worker="laptop",
        address=settings.address,
        hidden=tuple(hidden_values(settings)),
    )


def _forge(desk: Desk, commit: str, number: int) -> LocalForge:
    name, default = desk.copy.repository, desk.default
    environment = process_environment()
    url = desk.copy.clone_url or "https://localhost/"
    pull = PullRequest(
        repository=name,
        number=number,
        title="The working copy",
        author=getpass.getuser(),
        state="open",
        draft=False,
        head_sha=commit,
        head_ref="towpath/head",
        head_repository=name,
        base_ref=default.name,
        base_sha=default.commit,
        url="",
    )
    token = environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN") or ""
    return LocalForge(Repository(name, default.name, url, "", private=True), pull, default.commit, token)


def _use_policy(context: Context, desk: Desk) -> None:
    """Have the services use the default branch's policy as far as a laptop can: no cloud accepts its tokens, so that the
    static secrets with the environment's prefix take the place of an `identity`."""
    policy = desk.policy
    environments = {name: replace(env, identity=Identity()) for name, env in policy.environments.items()}
    ours = replace(policy, environments=environments)
    context.caches.policies.get((desk.copy.repository, desk.default.commit), lambda: ours)
