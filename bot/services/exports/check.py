"""Check what a pull request makes of exports: its own policy, and the columns that its migrations add."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.exports import (
    PATH,
    ExportPolicies,
    MigrationFile,
    Migrations,
    Problem,
    PullCheck,
    UnreadStatement,
    check_migrations,
    migration_paths,
    parse_export_policies,
    read_migrations,
)
from bot.domain.policy import PolicyError
from bot.domain.ports.forge import PullRequest
from bot.errors import UserError
from bot.services.context import Context
from bot.services.targets import GLANCE, base_tip, policy_at

EXPORT_CHECK = "towpath/exports"
"""The check's name on GitHub."""
MOST_FILES = 100
LARGEST = 256 * 1024
"""Bytes of a migration. A larger one has rows, not columns."""


def check_pull(context: Context, pull: PullRequest) -> PullCheck | None:
    """Return what an open pull request makes of exports; None if it changes neither migrations nor `envs/export.toml`, has no
    such file, or must not be read.

    Call it outside of transactions: it asks git, once for a pair of commits.
    """
    if pull.state != "open":
        return None
    try:
        tip = base_tip(context, pull, GLANCE)
        key = (pull.repository, tip, pull.head_sha)
        return context.caches.exports.get(key, lambda: _check(context, pull, tip))
    except UserError:  # the pull request's other checks say why it cannot be read
        return None


def _check(context: Context, pull: PullRequest, tip: str) -> PullCheck | None:
    repository, head = pull.repository, pull.head_sha
    raw = context.git.read(repository, head, PATH)
    if raw is None:
        return None
    changed = context.git.changed(repository, tip, head)
    try:
        policies = parse_export_policies(
            raw.decode("utf-8", "replace"), PATH, _environments(context, repository, head)
        )
    except PolicyError as error:
        return PullCheck(invalid=error.what) if PATH in changed else None
    paths = migration_paths(policies, changed)
    if not paths and PATH not in changed:
        return None
    base = context.git.merge_base(repository, tip, head)
    files = [one for path in paths[:MOST_FILES] if (one := _file(context, repository, (base, head), path))]
    migrations = read_migrations(tuple(one for one in files if isinstance(one, MigrationFile)))
    skipped = [one for one in files if isinstance(one, UnreadStatement)]
    skipped += [UnreadStatement(path, 1, "too many files") for path in paths[MOST_FILES:]]
    problems = _problems(policies, migrations)
    return PullCheck("", tuple(problems), (*migrations.unread, *skipped), len(files))


def _environments(context: Context, repository: str, commit: str) -> tuple[str, ...] | None:
    """Return the pull request's own environments; None if its main policy is not valid, which is reported elsewhere."""
    try:
        policy = policy_at(context, repository, commit)
    except UserError:
        return None
    return tuple(policy.environments) if policy else None


def _file(
    context: Context, repository: str, commits: tuple[str, str], path: str
) -> MigrationFile | UnreadStatement | None:
    """Return a file before and after; None if the pull request deletes it."""
    before, after = (context.git.read(repository, commit, path) for commit in commits)
    if after is None:
        return None
    if max(len(after), len(before or b"")) > LARGEST:
        return UnreadStatement(path, 1, f"larger than {LARGEST // 1024} KB")
    return MigrationFile(path, after.decode("utf-8", "replace"), (before or b"").decode("utf-8", "replace"))


def _problems(policies: ExportPolicies, migrations: Migrations) -> Iterator[Problem]:
    for policy in policies.exports.values():
        yield from check_migrations(policy, migrations)
