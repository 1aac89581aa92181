"""Releases: what a successful apply leaves, with smoke checks, artifacts, holds and proof."""

from bot.services.releases.artifacts import list_artifacts, offer_artifact, redeem_ticket
from bot.services.releases.holds import hold_release, lift_hold
from bot.services.releases.proof import range_link, revert_proof
from bot.services.releases.smoke import sleep_command, smoke_checks
from bot.services.releases.surroundings import prepared_surroundings, read_outputs
from bot.services.releases.verification import (
    Verified,
    check_again_command,
    initial_verification,
    verify_release,
)

__all__ = [
    "Verified",
    "check_again_command",
    "hold_release",
    "initial_verification",
    "lift_hold",
    "list_artifacts",
    "offer_artifact",
    "prepared_surroundings",
    "range_link",
    "read_outputs",
    "redeem_ticket",
    "revert_proof",
    "sleep_command",
    "smoke_checks",
    "verify_release",
]
