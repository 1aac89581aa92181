"""`towpath setup`: write what others need to run Towpath: the workflows for GitHub Actions."""

from __future__ import annotations

from pathlib import Path

import typer

from bot.actions.workflows import DIRECTORY, NAMES, RUN, Options, given_options, is_ours, workflows
from bot.cli.main import app
from bot.domain.actions import unused_secrets
from bot.domain.policy import PATH, Policy, parse_policy
from bot.errors import UserError

setup = typer.Typer(no_args_is_help=True, help="Write workflows for GitHub Actions.")
app.add_typer(setup, name="setup")


@setup.callback()
def _group() -> None:
    """Keep the word of the one command."""


@setup.command()
def actions(
    source: str = typer.Option(
        "",
        help="Where jobs get Towpath: `URL@COMMIT` of a git repository, or `installed` if the runner has it.",
    ),
    secret: list[str] = typer.Option(
        [],
        help="Name of a secret that Terraform needs, with its prefix, such as STAGING_APPLY_TOKEN. Repeatable.",
    ),
    branch: str = typer.Option("", help="The default branch. [default: main]", show_default=False),
    runner: str = typer.Option("", help="The runner's label. [default: ubuntu-24.04]", show_default=False),
    directory: Path = typer.Option(Path(), help="The checkout of the repository."),
    force: bool = typer.Option(False, "--force", help="Replace files that somebody edited."),
) -> None:
    """Write terraform-plan.yml and terraform-apply.yml from the policy, or terraform-run.yml where a bot with a server hands runs
    over. Options that are not given stay as they were."""
    policy = _policy(directory)
    paths = {name: directory / DIRECTORY / name for name in (*NAMES, RUN)}
    present = {path: path.read_text() for path in paths.values() if path.is_file()}
    options = _merged(list(present.values()), Options(source, branch, runner, tuple(secret)))
    written = workflows(policy, options)
    edited = [str(path) for path, text in present.items() if path.name in written and not is_ours(text)]
    if edited and not force:
        raise UserError(
            f"{' and '.join(edited)} {'was' if len(edited) == 1 else 'were'} not written by this command, or edited since.",
            next_step="Run it again with `--force` to replace what is there.",
        )
    for name, content in written.items():
        paths[name].parent.mkdir(parents=True, exist_ok=True)
        changed = present.get(paths[name]) != content
        if changed:
            paths[name].write_text(content)
        print(f"{paths[name]}: {'written' if changed else 'up to date'}")
    for name in unused_secrets(policy, options.secrets):
        print(f"{name} begins with no environment's prefix, so no job gets it.")


def _policy(directory: Path) -> Policy:
    path = directory / PATH
    try:
        text = path.read_text()
    except OSError as error:
        raise UserError(
            f"{path} cannot be read: {error.strerror or error}.",
            next_step="Run this at the top of the repository's checkout, or name it with `--directory`.",
        ) from None
    return parse_policy(text, str(path))


def _merged(texts: list[str], given: Options) -> Options:
    """What is given, else what the files were written with. Secrets add up."""
    words = given_options(texts)
    before = list(zip(words[::2], words[1::2], strict=False))

    def last(name: str, default: str) -> str:
        return next((value for key, value in before if key == name), default)

    kept = [value for key, value in before if key == "--secret"]
    return Options(
        given.source or last("--source", ""),
        given.branch or last("--branch", "main"),
        given.runner or last("--runner", "ubuntu-24.04"),
        tuple(sorted({*kept, *given.secrets})),
    )
