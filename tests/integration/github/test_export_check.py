"""The check of exports on real pull requests."""

from __future__ import annotations

from bot.domain.ports.forge import PullRequest
from bot.services.context import Context
from bot.services.exports import EXPORT_CHECK, check_pull
from tests.integration.github.test_gate import REPO, changed, context, project, shown
from tests.integration.github.world import World

__all__ = ["context"]

POLICY = (
    'migrations = ["db/*.sql"]\n[export.staging]\nfrom = "prod"\n[[export.staging.roots]]\ntable = "public.people"\n'
    '[export.staging.tables."public.people".columns]\nid = "keep"\n'
)
PATH = "envs/export.toml"


def opened(context: Context, either: World, branch: str, files: dict[str, str | bytes | None]) -> str:
    """Open a pull request with these files, show its checks, and return its commit."""
    hub = either.hub
    sha = hub.commit_files(REPO, branch, files, author="ann", message=branch)
    number = hub.open_pull(REPO, author="ann", head=branch, title=branch)
    changed(context, number)
    project(context, number)
    return sha


def test_a_new_column_needs_a_rule_in_the_same_pull_request(either: World, context: Context) -> None:
    hub = either.hub
    hub.commit_files(REPO, "main", {PATH: POLICY}, author="carol", message="Exports")
    column = {"db/2.sql": "ALTER TABLE people ADD COLUMN email varchar(200);"}
    without = opened(context, either, "without", {**column})
    assert shown(either, without, EXPORT_CHECK) == ("completed", "failure")
    ruled = POLICY + 'email = { mask = "email" }\n'
    assert shown(either, opened(context, either, "with", {**column, PATH: ruled}), EXPORT_CHECK) == (
        "completed",
        "success",
    )
    head = hub.commit_files(REPO, "without", {PATH: ruled}, author="ann", message="Rule")
    number = next(one.number for one in _open(context) if one.head_ref == "without")
    changed(context, number, "synchronize")
    project(context, number)
    assert shown(either, head, EXPORT_CHECK) == ("completed", "success")


def test_only_pull_requests_that_concern_exports_have_it(either: World, context: Context) -> None:
    either.hub.commit_files(REPO, "main", {PATH: POLICY}, author="carol", message="Exports")
    words = opened(context, either, "words", {"README.md": "More\n", "sql/1.sql": "create table t (a int);"})
    assert EXPORT_CHECK not in either.hub.checks_on(REPO, words)
    assert shown(either, words)[0] == "completed"
    assert shown(either, opened(context, either, "wrong", {PATH: "[nonsense"}), EXPORT_CHECK) == (
        "completed",
        "failure",
    )


def test_what_cannot_be_read_is_neutral_and_named(either: World, context: Context) -> None:
    either.hub.commit_files(REPO, "main", {PATH: POLICY}, author="carol", message="Exports")
    opened(context, either, "odd", {"db/2.sql": "select 1;\ncreate table t as select 1 as a;"})
    found = check_pull(context, next(one for one in _open(context) if one.head_ref == "odd"))
    assert found is not None
    assert found.ok
    assert [(one.path, one.line) for one in found.unread] == [("db/2.sql", 2)]


def test_it_is_there_without_gates(either: World, context: Context) -> None:
    """The gates' surface is shown for it alone."""
    plain = '[stack.infra]\nroot = "infra"\n[env.staging]\n'
    files = {
        "envs/environments.toml": plain + "[env.production]\n",
        PATH: POLICY.replace('"prod"', '"production"'),
    }
    either.hub.commit_files(REPO, "main", files, author="carol", message="Exports")
    sha = opened(context, either, "column", {"db/2.sql": "alter table people add phone text"})
    assert shown(either, sha, EXPORT_CHECK) == ("completed", "failure")
    assert set(either.hub.checks_on(REPO, sha)) == {EXPORT_CHECK}


def _open(context: Context) -> list[PullRequest]:
    with context.store.read() as tables:
        return list(tables.pulls.open(REPO))
