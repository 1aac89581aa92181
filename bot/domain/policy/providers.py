"""Which providers Terraform may run: `[providers]` of the policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import with_config

from bot.domain.policy.environment import FORBID
from bot.domain.policy.types import ProviderGlobs
from bot.domain.policy.validators import listed

BUILT_IN = "terraform.io/builtin/terraform"
"""The provider of `terraform_data`, which is part of Terraform."""


@with_config(FORBID)
@dataclass(frozen=True)
class ProviderRules:
    """allow: `[host/]namespace/type` with `*`; None: no restriction. Without a host it means the engine's own registry."""

    allow: Annotated[ProviderGlobs, listed("providers")] | None = None


def provider_allowed(allow: Sequence[str], source: str, registry: str) -> bool:
    """Whether a provider is on the list.

    source: with host and namespace, as in a lock file. registry: the engine's own.
    """
    return source == BUILT_IN or any(_matches(glob, source, registry) for glob in allow)


def _matches(glob: str, source: str, registry: str) -> bool:
    wanted, have = glob.lower().split("/"), source.lower().split("/")
    wanted = [registry, *wanted] if len(wanted) == 2 else wanted
    return len(wanted) == len(have) and all(map(fnmatchcase, have, wanted))
