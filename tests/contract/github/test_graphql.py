"""The one GraphQL mutation, against GitHub's own schema."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from graphql import build_client_schema, parse, validate

from tests.integration.github.world import REPO, make
from tests.npm import package

pytestmark = pytest.mark.npm


def test_minimise_is_valid(tmp_path: Path) -> None:
    schema = json.loads((package("@octokit/graphql-schema") / "schema.json").read_text())
    with closing(make(tmp_path / "git")) as world:
        comment = world.forge.comment(REPO, world.number, "old")
        world.forge.minimise(REPO, comment.node_id)
    sent = json.loads(next(one.body for one in world.hub.exchanges if one.path == "/graphql"))
    assert validate(build_client_schema(schema, assume_valid=True), parse(sent["query"])) == []
    assert sent["variables"] == {"id": comment.node_id}
