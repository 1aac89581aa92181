"""Where a state in a bucket is, as bot and job must agree on it."""

from __future__ import annotations

from bot.domain.ports.terraform import Backend


def place_of(backend: Backend) -> tuple[str, str, str]:
    """Return bucket, key and endpoint (JSON, as Terraform takes it) of a backend in S3."""
    config = backend.config
    return config.get("bucket", ""), config.get("key", ""), config.get("endpoints", "")
