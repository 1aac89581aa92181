"""Write the workflow files, and tell one that was edited from one that Towpath wrote."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypedDict

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.domain.actions import apply_jobs, plan_job, run_jobs
from bot.domain.policy import Policy
from bot.errors import UserError

DIRECTORY = ".github/workflows"
NAMES = ("terraform-plan.yml", "terraform-apply.yml")
RUN = "terraform-run.yml"
"""The workflow of a bot with a server, in the place of both."""
UPLOAD = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0"
"""The commit of tag v7.0.0 in github.com/actions/upload-artifact."""
_HEADER = re.compile(
    r"# Written by `towpath setup actions(?P<options>[^`\n]*)`\. Run it again to change it\.\n# Digest: (?P<digest>[0-9a-f]{64})\n"
)
_SOURCE = re.compile(r"(?P<url>https?://[A-Za-z0-9._~:/-]+)@(?P<commit>[0-9a-f]{40})")
_SECRET = re.compile(r"(?!GITHUB_)[A-Z_][A-Z0-9_]{0,99}", re.IGNORECASE)
_RUNNER = re.compile(r"[A-Za-z0-9._-]{1,100}")


class Files(TypedDict):
    """What the templates get besides the jobs."""

    branch: str
    source: Source | None
    runs_on: str


@dataclass(frozen=True)
class Source:
    """Where a job gets Towpath from: a git repository and one of its commits."""

    url: str
    commit: str


@dataclass(frozen=True)
class Options:
    """What `towpath setup actions` was given. source: `URL@COMMIT`, or "installed" for a runner that has Towpath. secrets:
    names of the repository's secrets to pass on."""

    source: str
    branch: str = "main"
    runner: str = "ubuntu-24.04"
    secrets: tuple[str, ...] = ()

    @property
    def parsed_source(self) -> Source | None:
        found = _SOURCE.fullmatch(self.source)
        return Source(found["url"], found["commit"]) if found else None

    def check(self) -> None:
        """Raise UserError for a value that would mean something else in YAML or in a shell."""
        if self.source != "installed" and self.parsed_source is None:
            raise UserError(
                "`--source` must be a git repository and the full id of one of its commits, since a branch or tag can change "
                "what runs with your secrets.",
                next_step="Write it as `--source https://github.com/acme/towpath@<40 hex digits>`, or `--source installed` "
                "for runners that have Towpath.",
            )
        if bad := [name for name in self.secrets if not _SECRET.fullmatch(name)]:
            raise UserError(
                f"`{bad[0]}` is not the name of a secret.", next_step="Use letters, digits and `_`."
            )
        if not _RUNNER.fullmatch(self.runner):
            raise UserError(
                f"`{self.runner}` is not a runner's label.", next_step="Name one, such as `ubuntu-24.04`."
            )
        if not re.fullmatch(r"[A-Za-z0-9._/-]{1,200}", self.branch):
            raise UserError(
                f"`{self.branch}` cannot be written into a workflow.", next_step="Rename the branch."
            )

    @property
    def line(self) -> str:
        """The options as they were given, so that the next call can repeat them."""
        words = ["--source", self.source, "--branch", self.branch, "--runner", self.runner]
        return " ".join(
            map(shlex.quote, [*words, *(word for name in self.secrets for word in ("--secret", name))])
        )


def workflows(policy: Policy, options: Options) -> dict[str, str]:
    """Return name → content of the files: one where a bot with a server hands runs over (`runner = "actions"`), else the two
    that do without it. Raises UserError for options that cannot be written, and if nothing would be planned."""
    options.check()
    files = Files(branch=options.branch, source=options.parsed_source, runs_on=options.runner)
    if handed_over := run_jobs(policy, options.secrets):
        content = _environment().get_template(f"{RUN}.j2").render(**files, jobs=handed_over, upload=UPLOAD)
        return {RUN: _with_header(f"{content.rstrip()}\n", options)}
    jobs = apply_jobs(policy, options.secrets)
    if not jobs:
        raise UserError(
            "The policy plans no environment on pull requests that exists once.",
            next_step='Set `on_pull_request = "plan"` for one in `envs/environments.toml`.',
        )
    plan, apply = (_environment().get_template(f"{name}.j2") for name in NAMES)
    contents = (
        plan.render(**files, plan=plan_job(policy, options.secrets)),
        apply.render(**files, jobs=jobs, upload=UPLOAD),
    )
    return {name: _with_header(content, options) for name, content in zip(NAMES, contents, strict=True)}


def is_ours(text: str) -> bool:
    """Whether Towpath wrote exactly this text."""
    header = _HEADER.match(text)
    return header is not None and header["digest"] == _digest(text[header.end() :], header["options"].strip())


def given_options(texts: Sequence[str]) -> list[str]:
    """Return the options in the header of the first text that has one."""
    headers = (_HEADER.match(text) for text in texts)
    return next((shlex.split(header["options"]) for header in headers if header), [])


def _with_header(content: str, options: Options) -> str:
    return (
        f"# Written by `towpath setup actions {options.line}`. Run it again to change it.\n"
        f"# Digest: {_digest(content, options.line)}\n{content}"
    )


def _digest(content: str, options: str) -> str:
    return hashlib.sha256(f"{options}\n{content}".encode()).hexdigest()


@cache
def _environment() -> Environment:
    """`${{ }}` is GitHub's, so ours are square."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        block_start_string="[%",
        block_end_string="%]",
        variable_start_string="[[",
        variable_end_string="]]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - YAML; Options.check and the policy's rules limit what is put in
    )
