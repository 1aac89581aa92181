"""The policy: `envs/environments.toml` of the default branch as typed values.

Start at `loader` (text to policy) and `model` (what a policy knows); freeze windows and the configuration digest belong to it."""

from bot.domain.policy.config_digest import configuration_digest
from bot.domain.policy.environment import Environment
from bot.domain.policy.freeze_windows import Frozen, freeze_at, next_freeze
from bot.domain.policy.identity import GoogleIdentity, Identity
from bot.domain.policy.loader import parse_policy
from bot.domain.policy.model import PATH, BackendPolicy, Policy, Stack, matches
from bot.domain.policy.needs import HealthCheck, Need
from bot.domain.policy.parity import AllowedDifference, ParityGroup
from bot.domain.policy.problems import Problems, Vocabulary
from bot.domain.policy.providers import BUILT_IN, provider_allowed
from bot.domain.policy.schema import ApprovalRules, SmokeCheck, Table
from bot.domain.policy.toml_lines import Lines, Location, quoted
from bot.domain.policy.toml_text import PolicyError, load_toml
from bot.domain.policy.types import Cron, Globs, Positive, Word, Zone
from bot.domain.policy.validators import Flag, Text, Wrong, choice, like, listed, whole

__all__ = [
    "BUILT_IN",
    "PATH",
    "AllowedDifference",
    "ApprovalRules",
    "BackendPolicy",
    "Cron",
    "Environment",
    "Flag",
    "Frozen",
    "Globs",
    "GoogleIdentity",
    "HealthCheck",
    "Identity",
    "Lines",
    "Location",
    "Need",
    "ParityGroup",
    "Policy",
    "PolicyError",
    "Positive",
    "Problems",
    "SmokeCheck",
    "Stack",
    "Table",
    "Text",
    "Vocabulary",
    "Word",
    "Wrong",
    "Zone",
    "choice",
    "configuration_digest",
    "freeze_at",
    "like",
    "listed",
    "load_toml",
    "matches",
    "next_freeze",
    "parse_policy",
    "provider_allowed",
    "quoted",
    "whole",
]
