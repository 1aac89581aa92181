"""Masks: functions from a value in COPY's text format to another one, the same for the same value, label and key.

Start at `compile`, which chooses the function for a column."""

from bot.exports.masks.compile import Mask, MaskKey, compile_rule

__all__ = ["Mask", "MaskKey", "compile_rule"]
