"""Releases that one job hands to the next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.actions import Promoted, write_promoted
from bot.domain.policy import parse_policy
from bot.domain.ports.terraform import Backend
from bot.domain.refusal import Refusal
from bot.domain.target import Target
from bot.services.actions import take_over
from bot.services.promotion import source_of
from bot.storage.database import Database
from tests.contract.state_store import state
from tests.fixtures.context import bare
from tests.integration.storage import samples
from tests.unit.services.world import PROD, STACK, STAGING

KEY = "k" * 32
POLICY = parse_policy(f'{STACK}[env.staging]\n[env.prod]\npromote_from = "staging"\n', "test")


class States:
    """A bucket with one state."""

    def __init__(self, data: bytes | None) -> None:
        self.data = data

    def restore(self, kept: Any) -> Backend:
        return Backend(kept["kind"], kept["config"])

    def current(self, target: Target, backend: Backend) -> bytes | None:
        assert (target, backend.config) == (STAGING, {"bucket": "b"})
        return self.data


def line(serial: int, key: str = KEY, target: Target = STAGING) -> str:
    release = replace(samples.release("r9"), target=target, serial=serial)
    return write_promoted(Promoted(release, {"kind": "s3", "config": {"bucket": "b"}}), key)


@pytest.mark.parametrize(("serial", "changed"), [(5, ""), (4, "its serial is now 5, was 4")])
def test_the_next_job_sees_the_release_and_what_became_of_it(
    database: Database, tmp_path: Path, serial: int, changed: str
) -> None:
    context = bare(database, tmp_path, backends=States(state(5)))
    take_over(context, f"{line(serial)}\n", "acme/infra", [KEY])
    with database.read() as tables:
        source = source_of(tables, POLICY, PROD, 7)
    assert source is not None
    assert source.release is not None
    assert source.release.commit == samples.release("r9").commit
    assert source.state_change == changed


def test_a_state_that_was_deleted_since_is_noticed(database: Database, tmp_path: Path) -> None:
    take_over(bare(database, tmp_path, backends=States(None)), line(5), "acme/infra", [KEY])
    with database.read() as tables:
        source = source_of(tables, POLICY, PROD, 7)
    assert source is not None
    assert source.state_change == "it was deleted"


@pytest.mark.parametrize(
    "forged",
    [line(5, "o" * 32), line(5, target=Target("acme/other", "infra", "staging")), "nonsense"],
    ids=["key", "repository", "text"],
)
def test_a_release_of_somebody_elses_is_refused(database: Database, tmp_path: Path, forged: str) -> None:
    with pytest.raises(Refusal, match="not signed with this repository's key"):
        take_over(bare(database, tmp_path, backends=States(state(5))), forged, "acme/infra", [KEY])
    with database.read() as tables:
        assert tables.releases.newest(STAGING) is None


def test_nothing_was_handed_over(database: Database, tmp_path: Path) -> None:
    take_over(bare(database, tmp_path), "\n", "acme/infra", [KEY])
