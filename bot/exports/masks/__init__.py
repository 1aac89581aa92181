"""Masks: functions from a value in COPY's text format to another one, the same for the same value, label and key.

Start at `compile`, which chooses the function for a column."""

from bot.exports.masks.compile import MaskKey, compile_rule
from bot.exports.masks.values import NULL, Mask

__all__ = ["NULL", "Mask", "MaskKey", "compile_rule"]
