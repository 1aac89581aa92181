"""What `towpath ci` works with: the bot's own services in one process, on a database that lives as long as the job."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot import logs
from bot.actions.follow_log import following
from bot.actions.oidc import fetch_tokens, issuer
from bot.actions.runner import Runner
from bot.cli.ci_stop import stopped_by_signals
from bot.domain.actions import MergePush, planned_changes
from bot.domain.run import Run
from bot.errors import UserError
from bot.filesystem import remove_tree
from bot.jobs.inline import InlineWork
from bot.services.actions import Workshop
from bot.services.context import Context
from bot.settings import Settings, load
from bot.wiring import Bot, hidden_values

LOGIN = "github-actions[bot]"
"""Whose comments those are that a workflow's token writes. GitHub does not tell."""
_TOKENS = ("ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
_RUNNERS = ("GITHUB_", "ACTIONS_", "RUNNER_")


@dataclass(frozen=True)
class Job:
    """One job of a workflow. keys: the secret keys, the newest first."""

    runner: Runner
    context: Context
    workshop: Workshop
    keys: tuple[str, ...]


@contextmanager
def job(runner: Runner, merge: MergePush | None = None) -> Iterator[Job]:
    """Yield the job's services. Nothing stays behind: states are in buckets, and the rest is what GitHub keeps.

    merge: the push whose reviewed plan is applied. Raises UserError for a missing or invalid setting.
    """
    directory = Path(tempfile.mkdtemp(prefix="towpath-", dir=runner.temporary))
    bot = Bot(_settings(runner, directory))
    tokens = tuple(filter(None, (runner.variables.get(name) for name in _TOKENS)))
    logs.configure([*hidden_values(bot.settings), *tokens], as_json=bot.settings.log_json)
    try:
        with stopped_by_signals(bot.database, LOGIN):
            yield _job(bot, runner, merge, tokens)
    finally:
        bot.close()
        remove_tree(directory)


def this_runner() -> Runner:
    """Return the runner, and leave its variables out of the environment: no prefix of a policy may name them. So are empty
    variables, which is what a workflow makes of a secret that does not exist."""
    runner = Runner(dict(os.environ), sys.stdout)
    for name, value in runner.variables.items():
        if not value or name.startswith(_RUNNERS):
            del os.environ[name]
    return runner


def _settings(runner: Runner, directory: Path) -> Settings:
    settings = load(
        data_dir=directory,
        database_url="",
        public_url="",
        github_api_url=runner.required("GITHUB_API_URL"),
        github_token=runner.required("GITHUB_TOKEN"),
        github_app_id="",
        slack_bot_token="",
        slots=1,
    )
    if not settings.secret_key.get_secret_value():
        raise UserError(
            "TOWPATH_SECRET_KEY is not set, and without it nobody can tell a reviewed plan from a forged one.",
            next_step='Run `gh secret set TOWPATH_SECRET_KEY --body "$(openssl rand -hex 32)"`.',
        )
    return settings


def _job(bot: Bot, runner: Runner, merge: MergePush | None, tokens: tuple[str, ...]) -> Job:
    changes: dict[str, Mapping[str, str]] = {}

    def note(run: Run, plan: Mapping[str, Any]) -> None:
        changes[run.id] = planned_changes(plan)

    work = InlineWork(lambda run: following(bot.database, runner, run))
    base = bot.context_with(work, "actions", state_url="")
    context = replace(
        base,
        forge=bot.forge.named(LOGIN),
        address=runner.run_url,
        hidden=(*base.hidden, *tokens),
        issuer=issuer(runner.variables),
        tokens=lambda audiences: fetch_tokens(runner.variables, audiences),
        link=lambda _run: runner.run_url,
        plan_link=lambda _plan: "",
        planned=note,
        merge=merge,
    )
    keys = bot.settings.secret_key.get_secret_value().split(",")
    found = tuple(key.strip() for key in keys if key.strip())
    return Job(runner, context, Workshop(lambda: work.carry_out(context), changes), found)
