"""Terraform states: versions, addresses, outputs, sensitive values, and comparisons.

Start at `model`; `diff` compares two versions for people, `verify` compares the record with the backend."""

from bot.domain.states.addresses import (
    Address,
    Object,
    keyless,
    objects,
    parse_address,
    providers,
    spell_address,
)
from bot.domain.states.backend_settings import BackendSettings, accepts_setting, instead_of, is_harmless
from bot.domain.states.diff import StateDiff, diff_states
from bot.domain.states.model import (
    LockInfo,
    StateDamaged,
    StateInfo,
    StateRefused,
    StateVersion,
    check_successor,
    follows,
    resources_in,
)
from bot.domain.states.outputs import (
    Output,
    Outputs,
    Unfilled,
    fill_outputs,
    outputs_in,
    outputs_of,
    sensitive_texts,
    url_of,
)
from bot.domain.states.place import StatePlace, place_in, place_of
from bot.domain.states.sensitive import looks_secret
from bot.domain.states.unsaved import Unsaved
from bot.domain.states.verify import Finding, same_place, same_state, same_version

__all__ = [
    "Address",
    "BackendSettings",
    "Finding",
    "LockInfo",
    "Object",
    "Output",
    "Outputs",
    "StateDamaged",
    "StateDiff",
    "StateInfo",
    "StatePlace",
    "StateRefused",
    "StateVersion",
    "Unfilled",
    "Unsaved",
    "accepts_setting",
    "check_successor",
    "diff_states",
    "fill_outputs",
    "follows",
    "instead_of",
    "is_harmless",
    "keyless",
    "looks_secret",
    "objects",
    "outputs_in",
    "outputs_of",
    "parse_address",
    "place_in",
    "place_of",
    "providers",
    "resources_in",
    "same_place",
    "same_state",
    "same_version",
    "sensitive_texts",
    "spell_address",
    "url_of",
]
