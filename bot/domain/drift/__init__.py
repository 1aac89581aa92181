"""Drift: what a check found, and whether the report is new."""

from bot.domain.drift.baseline import Baseline
from bot.domain.drift.model import LEAST, Drift, Measure, drift_check_due, measure

__all__ = [
    "LEAST",
    "Baseline",
    "Drift",
    "Measure",
    "drift_check_due",
    "measure",
]
