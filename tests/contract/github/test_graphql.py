"""What is sent by GraphQL, against GitHub's own schema."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from graphql import build_client_schema, parse, validate

from tests.integration.github.world import REPO, make
from tests.npm import package

pytestmark = pytest.mark.npm


def test_what_is_sent_is_valid(tmp_path: Path) -> None:
    schema = json.loads((package("@octokit/graphql-schema") / "schema.json").read_text())
    with closing(make(tmp_path / "git")) as world:
        comment = world.forge.comment(REPO, world.number, "old")
        world.forge.minimise(REPO, comment.node_id)
        commits = [world.forge.head_of(REPO, branch) for branch in ("main", "feature")]
        assert world.forge.authors(REPO, commits) == {"acme", "ann"}
    sent = [json.loads(one.body) for one in world.hub.exchanges if one.path == "/graphql"]
    described = build_client_schema(schema, assume_valid=True)
    assert [validate(described, parse(one["query"])) for one in sent] == [[], []]
    assert [one["variables"] for one in sent] == [
        {"id": comment.node_id},
        {"owner": "acme", "name": "infra", "c0": commits[0], "c1": commits[1]},
    ]
