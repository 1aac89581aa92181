"""Attempts to sign in to the state backend, from an address that the client makes up."""

from __future__ import annotations

import httpx

from bot.playground.loopback import no_authorities
from bot.playground.world import World
from tests.fixtures.world import MakeWorld

ALLOWED = 10
"""Attempts from one address, see bot/web/local_runs.py."""


def attempts(world: World, addresses: list[str]) -> list[int]:
    """The status of an attempt without a token from each address, as a proxy would forward it."""
    with httpx.Client(timeout=30, verify=no_authorities(), trust_env=False) as client:
        return [
            client.post(f"{world.bot.url}/state/login", headers={"X-Forwarded-For": address}).status_code
            for address in addresses
        ]


def test_a_claimed_address_counts_for_nothing(make_world: MakeWorld) -> None:
    """Whoever reaches the bot directly, or through a proxy that passes the header on, has one address."""
    world = make_world()
    claimed = [f"203.0.113.{number}" for number in range(ALLOWED + 1)]
    assert attempts(world, claimed) == [401] * ALLOWED + [429]


def test_behind_a_proxy_each_client_has_its_own(make_world: MakeWorld) -> None:
    world = make_world(settings={"TOWPATH_TRUSTED_PROXIES": "127.0.0.1"})
    assert attempts(world, ["203.0.113.1"] * (ALLOWED + 1)) == [401] * ALLOWED + [429]
    assert attempts(world, ["203.0.113.2"]) == [401]
    appended = [f"198.51.100.{number}, 203.0.113.3" for number in range(ALLOWED + 1)]
    assert attempts(world, appended) == [401] * ALLOWED + [429]


def test_metrics_are_not_for_who_claims_to_be_local(make_world: MakeWorld) -> None:
    world = make_world()
    with httpx.Client(timeout=30, verify=no_authorities(), trust_env=False) as client:
        forwarded = client.get(f"{world.bot.url}/metrics", headers={"X-Forwarded-For": "127.0.0.1"})
        assert forwarded.status_code == 401
        assert client.get(f"{world.bot.url}/metrics").status_code == 200
