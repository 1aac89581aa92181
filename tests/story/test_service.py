"""What the pretended servers serve, for smoke checks to ask."""

from __future__ import annotations

from pathlib import Path

import httpx

from bot.playground.provider.cloud import Cloud
from bot.playground.provider.health_service import HealthService


def asked(address: str) -> tuple[int, str]:
    answer = httpx.get(address, trust_env=False)
    return answer.status_code, answer.text


def test_a_cloud_is_healthy_where_it_has_a_server_that_is_not_sick(tmp_path: Path) -> None:
    cloud = Cloud.create(tmp_path / "staging", "token")
    clouds = {"staging": cloud}
    service = HealthService(clouds).start()
    try:
        health = f"{service.address('staging')}/healthz"
        assert asked(health) == (503, '{"status": "unhealthy", "reason": "no servers"}')
        cloud.put("server", "srv-1", {"name": "staging-web"})
        assert asked(health) == (200, '{"status": "ok"}')
        cloud.set_unhealthy("the database is starting")
        assert asked(health) == (503, '{"status": "unhealthy", "reason": "the database is starting"}')
        cloud.set_unhealthy("")
        assert asked(health)[0] == 200
        cloud.drop("server", "srv-1")
        assert asked(health)[0] == 503
        assert asked(f"{service.address('prod')}/healthz")[0] == 404
        assert asked(service.address("staging"))[0] == 404
        clouds["prod"] = Cloud.create(tmp_path / "prod", "token")
        assert asked(f"{service.address('prod')}/healthz")[0] == 503
    finally:
        service.stop()


def test_one_that_was_never_started_can_be_stopped() -> None:
    HealthService({}).stop()
