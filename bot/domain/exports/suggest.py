"""Suggest what to do with a column, by its name, its type and, if there is one, a sample of its values.

A suggestion never keeps what may be personal: people decide that."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.domain.exports.masks import DATES, NUMBERS, TEXTS
from bot.domain.exports.policy import ColumnRule, MaskName
from bot.domain.exports.schema import Column, Table

_NAMES: tuple[tuple[str, MaskName], ...] = (
    (r"e_?mail", "email"),
    (r"phone|mobile|(^|_)(tel|fax)(_|$)", "phone"),
    (r"street|address|(^|_)addr", "address"),
    (r"(first|last|full|given|family|middle|maiden|display|contact|user|nick|sur)_?name|^name$|recipient|author", "name"),
    (r"ssn|passport|iban|(^|_)(bic|vat|tax)(_|$)|licen[cs]e|account_?(no|number)|national_?id|(^|_)ip(_|$|addr)|device", "token"),
    (r"password|passwd|secret|token|hash|salt|api_?key|signature|session", "digest"),
    (r"birth|(^|_)dob(_|$)", "date_shift"),
    (r"note|comment|description|message|body|subject|title|text|bio|reason|remark|content|summary", "text"),
)  # fmt: skip
_PATTERNS: tuple[tuple[str, MaskName], ...] = (
    (r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}", "email"),
    (r"\+?[0-9][0-9 ()/.-]{7,}[0-9]", "phone"),
)
_WITHIN: dict[MaskName, int] = {"number": 1000, "date_shift": 180}
_PERSONAL_NUMBERS = re.compile(
    r"salary|income|wage|balance|score|age$|weight|height|latitude|longitude|(^|_)(lat|lng|lon)(_|$)"
)
_HARMLESS = ("boolean", "uuid", *NUMBERS, *DATES, "interval", "time without time zone")
_ENUM = re.compile(
    r"status|state|kind|type|category|currency|country|language|locale|plan|level|priority|unit|colou?r|size|code$"
)


def suggest_rule(table: Table, column: Column, sample: Sequence[str] = ()) -> ColumnRule:
    """Return a rule for a column. sample: some of its values, read in memory only."""
    if mask := _by_name(column) or _by_values(column, sample):
        return _fitted(column, mask, table)
    if column.base in _HARMLESS:
        if _PERSONAL_NUMBERS.search(column.name.lower()) and column.base in NUMBERS:
            return ColumnRule("mask", "number", within=_WITHIN["number"])
        return ColumnRule("keep")
    if column.base not in TEXTS and "." in column.type and not column.base.endswith("[]"):
        return ColumnRule("keep")  # an enum of the database's own
    if column.base in TEXTS and _ENUM.search(column.name.lower()):
        return ColumnRule("keep")
    if column.base in TEXTS:
        return _fitted(column, "text", table)
    return ColumnRule("null") if not column.not_null else ColumnRule("fixed", fixed=_empty(column))


def _by_name(column: Column) -> MaskName | None:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column.name).lower()
    return next((mask for pattern, mask in _NAMES if re.search(pattern, name)), None)


def _by_values(column: Column, sample: Sequence[str]) -> MaskName | None:
    """Return the mask for what at least a tenth of the values look like."""
    if column.base not in TEXTS:
        return None
    for pattern, mask in _PATTERNS:
        if sample and sum(bool(re.fullmatch(pattern, value)) for value in sample) * 10 >= len(sample):
            return mask
    return None


def _fitted(column: Column, mask: MaskName, table: Table) -> ColumnRule:
    """Return a rule with this mask, or with one that fits the type and keeps a unique column unique."""
    unique = any(column.name in key.columns for key in table.keys)
    if column.base in TEXTS:
        if unique and mask not in ("email", "token", "digest"):
            mask = "token"
        if mask == "date_shift":
            mask = "text"
        if mask == "email" and 0 < column.length < 18:
            mask = "token"
        return ColumnRule("mask", mask)
    if column.base in DATES and not unique:
        return (
            ColumnRule("mask", "date_shift", within=_WITHIN["date_shift"])
            if mask == "date_shift"
            else ColumnRule("keep")
        )
    if column.base == "bytea":
        return ColumnRule("mask", "digest")
    if column.base in (*NUMBERS, "uuid", "boolean"):
        return (
            ColumnRule("mask", "token")
            if mask == "token" and column.base not in ("boolean", "numeric")
            else ColumnRule("keep")
        )
    return ColumnRule("null") if not column.not_null else ColumnRule("fixed", fixed=_empty(column))


def _empty(column: Column) -> str:
    """Return a value of a type that says nothing."""
    if column.base in ("json", "jsonb"):
        return "{}"
    if column.base.endswith("[]"):
        return "{}"
    return ""
