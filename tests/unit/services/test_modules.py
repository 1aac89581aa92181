"""Private modules: what `init` may read, and what it says about what it may not."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.policy import Policy, PolicyError
from bot.domain.policy.loader import parse_policy
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.terraform import CommandResult, GitAccess
from bot.errors import UserError
from bot.services.plans.modules import explain_unreachable, module_access
from bot.storage.database import Database
from tests.fixtures.context import bare
from tests.integration.storage import samples

REPOSITORY = "acme/infra"
ACCESS = GitAccess("https://git.example.com/", "x", "word", (REPOSITORY, "acme/known"))
NOT_FOUND = (
    'Error: Failed to download module\n\nCould not download module "x" (main.tf:1) source code from\n'
    '"git::{url}": error downloading\n\'{url}\': /usr/bin/git exited with 128: Cloning into\n'
    "'.terraform/modules/x'...\nremote: Repository not\nfound.\nfatal: repository '{url}' not found"
)  # fmt: skip


def explained(text: str, access: GitAccess | None = ACCESS) -> tuple[str, ...]:
    return explain_unreachable(CommandResult(1, "", diagnostics=(text,)), REPOSITORY, access).diagnostics


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.com/Acme/Modules.git",
        "https://git.example.com/acme/modules",
        "https://git.example.com/acme/modules.git/",
        "https://git.example.com/acme/modules.git?ref=v1",
        "ssh://git@git.example.com/acme/modules.git",
        "git@git.example.com:acme/modules.git",
    ],
)
def test_the_key_to_set(url: str) -> None:
    said = NOT_FOUND.format(url=url)
    sentence, rest = explained(said)
    assert sentence == (
        'acme/modules may not be read: set modules = ["acme/known", "acme/modules"] at the top of '
        "envs/environments.toml on the default branch."
    )
    assert rest == said


@pytest.mark.parametrize(
    "said",
    [
        NOT_FOUND.format(url="https://git.example.com/acme/known.git"),
        NOT_FOUND.format(url="https://git.example.com/acme/infra.git"),
        NOT_FOUND.format(url="https://git.example.com/other/modules.git"),
        NOT_FOUND.format(url="https://elsewhere.example.com/acme/modules.git"),
        "Error: https://git.example.com/acme/modules.git: Remote branch v9 not found in upstream origin",
        "Error: Invalid block",
    ],
)
def test_other_failures_stay_as_they_are(said: str) -> None:
    assert explained(said) == (said,)


def test_what_cannot_be_helped_by_the_key() -> None:
    """A fork's plan has no credentials, and a user's token is not limited by the policy."""
    said = NOT_FOUND.format(url="https://git.example.com/acme/modules.git")
    assert explained(said, None) == (said,)
    assert explained(said, GitAccess("https://git.example.com/", "x", "word")) == (said,)


class Forge:
    narrows = True

    def __init__(self, error: ForgeError | None = None) -> None:
        self.error, self.asked = error, list[tuple[str, tuple[str, ...]]]()

    def git_credentials(self, repository: str, modules: tuple[str, ...]) -> tuple[str, str]:
        if self.error:
            raise self.error
        self.asked.append((repository, modules))
        return "x", "word"

    def repository(self, name: str) -> Any:
        return samples.repository(name)


POLICY = Policy({}, {}, modules=("acme/modules",))


def test_credentials_for_what_is_listed(database: Database, tmp_path: Any) -> None:
    forge = Forge()
    access = module_access(bare(database, tmp_path, forge=forge), REPOSITORY, POLICY)
    assert forge.asked == [(REPOSITORY, ("acme/modules",))]
    assert access is not None
    assert access.repositories == (REPOSITORY, "acme/modules")
    forge.narrows = False
    access = module_access(bare(database, tmp_path, forge=forge), REPOSITORY, POLICY)
    assert access is not None
    assert access.repositories == ()


def test_what_the_app_does_not_reach(database: Database, tmp_path: Any) -> None:
    """A mistake in the policy is told to people; an outage and a repository without the App are not mistaken for it."""
    refused = ForgeError("no", status=403)
    with pytest.raises(UserError, match="cannot read all of `acme/modules`") as caught:
        module_access(bare(database, tmp_path, forge=Forge(refused)), REPOSITORY, POLICY)
    assert "correct `modules`" in caught.value.next_step
    for error, policy in (
        (ForgeError("limit", status=403, retry_after=60.0), POLICY),
        (ForgeError("gone", status=404), POLICY),
        (refused, Policy({}, {})),
    ):
        with pytest.raises(ForgeError):
            module_access(bare(database, tmp_path, forge=Forge(error)), REPOSITORY, policy)


STACK = '[stack.infra]\nroot = "infra"\n[env.staging]\n'


def test_the_policys_list() -> None:
    text = f'modules = ["Acme/Terraform-Modules", "acme/net.work"]\n{STACK}'
    assert parse_policy(text, "p", REPOSITORY).modules == ("acme/terraform-modules", "acme/net.work")


@pytest.mark.parametrize(
    ("modules", "what"),
    [
        ('"acme/x"', "must be a list of"),
        ("[1]", "must be a string"),
        ('["modules"]', 'must be a repository such as "acme/terraform-modules"'),
        ('["acme/.."]', "must be a repository"),
        ('["acme/x.git"]', "must be a repository"),
        ('["https://git.example.com/acme/x"]', "must be a repository"),
        ('["acme/x", "other/x"]', "`other/x` is not a repository of `acme`, so its modules cannot be read"),
    ],
)
def test_what_the_list_may_not_have(modules: str, what: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(f"modules = {modules}\n{STACK}", "p", REPOSITORY)
    (problem,) = caught.value.problems
    assert problem.startswith("p line 1: ")
    assert what in problem
