"""The adapter against a server that does as GitHub's documentation says, and otherwise nothing as the playground does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from bot.github.client import GitHub, connect
from tests.integration.github.other import ID, SHA, Other, serving
from tests.integration.github.world import unpaced

REPO = "acme/infra"


@pytest.fixture
def other() -> Iterator[Other]:
    with serving() as made:
        yield made


@pytest.fixture
def forge(other: Other) -> Iterator[GitHub]:
    with closing(connect(other.url, token="secret", bucket=unpaced(), retry_delay=0.0)) as made:
        yield made


def test_lists_are_followed_by_their_links(other: Other, forge: GitHub) -> None:
    other.pulls = [9, 8, 7, 4, 2]
    found = forge.pulls(REPO)
    assert [one.number for one in found] == other.pulls
    assert {(one.state, one.draft, one.author, one.head_repository) for one in found} == {
        ("open", False, "ghost", "")
    }


def test_a_comment_is_found_where_pages_are_not_counted(other: Other, forge: GitHub) -> None:
    """Of several with the mark the newest that is the bot's own."""
    mine = "towpath-machine"
    other.comments = [(mine, "mark 1"), ("ann", "hi"), (mine, "mark 2"), ("ann", "mark"), ("bob", "hi")]
    found = forge.find_comment(REPO, 1, "mark")
    assert found is not None
    assert (found.id, found.body) == (ID + 2, "mark 2")
    assert forge.find_comment(REPO, 1, "no such") is None


def test_a_renamed_repository_is_followed(other: Other, forge: GitHub) -> None:
    """What is written arrives once, and whole."""
    other.pulls = [3, 2, 1]
    assert [one.number for one in forge.pulls("acme/old")] == [3, 2, 1]
    assert forge.comment("acme/old", 1, "hello").id > 2**32
    assert other.sent == [("POST", "/repos/acme/infra/issues/1/comments", {"body": "hello"})]


def test_authors_without_graphql(forge: GitHub) -> None:
    assert forge.authors(REPO, [SHA]) == {"ann"}
