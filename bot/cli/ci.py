"""`towpath ci`: plans and applies in GitHub Actions, without a server. `towpath setup actions` writes the workflows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from bot.actions.runner import Runner
from bot.cli.ci_apply import apply_after_merge
from bot.cli.ci_context import this_runner
from bot.cli.ci_plan import plan_pull_request
from bot.cli.ci_run import carry_out_request
from bot.cli.main import app
from bot.domain.ports.forge import ForgeError
from bot.domain.target import DEFAULT_STACK
from bot.errors import TransientError, UserError

ci = typer.Typer(no_args_is_help=True, help="Plan and apply in GitHub Actions.")
app.add_typer(ci, name="ci")


@ci.command()
def plan() -> None:
    """Plan the pull request that started the workflow, and show the plans in its comment."""
    with _told() as runner:
        ok = plan_pull_request(runner)
    raise typer.Exit(0 if ok else 1)


@ci.command()
def apply(
    environment: str = typer.Argument(help="The environment."),
    stack: str = typer.Argument(DEFAULT_STACK, help="The stack."),
) -> None:
    """Apply the reviewed plan after its merge, or fail and name every difference."""
    with _told() as runner:
        ok = apply_after_merge(runner, environment, stack)
    raise typer.Exit(0 if ok else 1)


@ci.command()
def run() -> None:
    """Carry out the request of a bot with a server: plan, or apply what was reviewed."""
    with _told() as runner:
        ok = carry_out_request(runner)
    raise typer.Exit(0 if ok else 1)


@contextmanager
def _told() -> Iterator[Runner]:
    """Say what went wrong where people look: in the annotations of the workflow run, and in its summary."""
    runner = this_runner()
    try:
        yield runner
    except (UserError, TransientError, ForgeError) as error:
        runner.annotate("error", str(error))
        runner.summarise(f"❌ {error}")
        raise typer.Exit(1) from error
