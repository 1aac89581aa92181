"""A pull request that moves states says so before it is merged, without showing what may be a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.errors import UserError
from bot.services.context import Context
from bot.services.states.backend_changes import backend_change_notes
from tests.unit.services.world import BASE, HEAD, PLAIN, World

POLICY_FILE = "envs/environments.toml"
S3 = b'terraform {\n  backend "s3" {}\n}\n'


class Blocks(World):
    """Stack files whose `backend` block Terraform reads as `blocks` says, by a file's content."""

    def __init__(self, context: Context, policy: str = PLAIN) -> None:
        super().__init__(context, policy)
        self.blocks: dict[bytes, Any] = {
            b"": ("", {}),
            S3: ("s3", {"bucket": "b", "key": "k", "secret_key": "hunter2"}),
        }
        self.reads: list[list[str]] = []

    def backend_block(self, root: Path) -> Any:
        files = sorted(root.iterdir())
        self.reads.append([one.name for one in files])
        found = self.blocks[next((data for one in files if b"backend" in (data := one.read_bytes())), b"")]
        if isinstance(found, Exception):
            raise found
        return found

    def change(self, path: str, before: bytes | None, after: bytes | None) -> None:
        """Change a file in the pull request."""
        self.moved.append(path)
        for commit, data in ((BASE, before), (HEAD, after)):
            files = self.files_at.setdefault(commit, {"infra/main.tf": b""})
            files.pop(path, None)
            if data is not None:
                files[path] = data

    @property
    def notes(self) -> list[str]:
        return backend_change_notes(self.context, self.pull_context())


@pytest.fixture
def world(context: Context) -> Blocks:
    return Blocks(context)


def with_policy(context: Context, after: str, before: str = PLAIN) -> list[str]:
    world = Blocks(context, before)
    world.change(POLICY_FILE, b"", b"")
    world.policies[HEAD] = after.encode()
    return world.notes


# in the policy


@pytest.mark.parametrize(
    "rules",
    ['kind = "s3"\nbucket = "states"', 'kind = "s3"\nbucket = "states"\nkey = "{env}.tfstate"'],
    ids=["place", "key"],
)
def test_another_backend_in_the_policy_is_told(context: Context, rules: str) -> None:
    (note,) = with_policy(context, f"{PLAIN}[stack.infra.backend]\n{rules}\n")
    assert note.startswith("**This pull request changes where the states of `infra` are stored**")
    assert "`towpath state migrate`" in note
    assert ("(key in `staging`)" in note) == ("key" in rules)


def test_a_second_stack_changes_the_default_keys(context: Context) -> None:
    (note,) = with_policy(context, f'{PLAIN}[stack.web]\nroot = "web"\n')
    assert "`infra` are stored** (key in `staging`)" in note


def test_a_removed_stack_is_told(context: Context) -> None:
    before = f'{PLAIN}[stack.web]\nroot = "web"\n[stack.web.backend]\nkey = "w"\n[stack.infra.backend]\nkey = "i"\n'
    (note,) = with_policy(context, f'{PLAIN}[stack.infra.backend]\nkey = "i"\n', before)
    assert note == "This pull request removes stack `web` from the policy. Its states stay where they are."


@pytest.mark.parametrize(
    "after", [f"{PLAIN}parallelism = 2\n", "nonsense"], ids=["something else", "invalid"]
)
def test_other_changes_of_the_policy_are_not(context: Context, after: str) -> None:
    assert with_policy(context, after) == []


# in the configuration


def test_another_block_is_told_without_its_secrets(world: Blocks) -> None:
    world.change("infra/backend.tf", None, S3)
    (note,) = world.notes
    assert "`backend` block of `infra`** (from none to `s3` with `bucket = b`, `key = k`)" in note
    assert "hunter2" not in note


def test_a_removed_block_is_told(world: Blocks) -> None:
    world.change("infra/backend.tf", S3, None)
    (note,) = world.notes
    assert "to none)" in note


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("infra/main.tf", b"", b'resource "x" "y" {}'),
        ("infra/module/backend.tf", None, S3),
        ("docs/backend.md", None, S3),
        ("infra/backend.tf", S3, S3 + b"# a comment"),
    ],
    ids=["mentions none", "of a module", "no configuration", "the same block"],
)
def test_other_changes_are_not_told(world: Blocks, path: str, before: bytes | None, after: bytes) -> None:
    world.blocks[S3 + b"# a comment"] = world.blocks[S3]
    world.change(path, before, after)
    assert world.notes == []


def test_files_without_the_word_are_not_parsed(world: Blocks) -> None:
    world.change("infra/main.tf", b"", b'resource "x" "y" {}')
    assert world.notes == []
    assert world.reads == []


def test_only_the_root_modules_own_files_are_read_and_once(world: Blocks) -> None:
    world.change("infra/backend.tf", None, S3)
    world.files_at[HEAD] |= {"infra/module/x.tf": b"", "infra/notes.md": b""}
    assert world.notes == world.notes
    assert world.reads == [["main.tf"], ["backend.tf", "main.tf"]]


def test_a_file_that_cannot_be_parsed_is_left_to_its_plan(world: Blocks) -> None:
    world.blocks[S3] = UserError("no HCL")
    world.change("infra/backend.tf", None, S3)
    assert world.notes == []
