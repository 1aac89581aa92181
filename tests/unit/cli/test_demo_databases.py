"""The demo goes on without databases where no Postgres can be started, and says why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import StringIO

import pytest
from rich.console import Console

from bot.cli import demo
from bot.playground import shop
from bot.playground.postgres import NoPostgres


def test_a_demo_without_postgres_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def none(_repository: str) -> Iterator[None]:
        raise NoPostgres("no [programs]")
        yield

    monkeypatch.setattr(shop, "running_shop", none)
    shown = StringIO()
    with ExitStack() as stack:
        assert demo._shop(stack, Console(file=shown)) is None
    assert "No databases, so nothing to export: no [programs]" in shown.getvalue()
