"""Choose the function that turns a column's values into what is exported."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.domain.exports import TEXTS, Column, ColumnRule
from bot.errors import UserError
from bot.exports.masks import identifiers, people, quantities
from bot.exports.masks.digest import Digest, derive_key, keyed_digest
from bot.exports.masks.values import NULL, Mask, Remembered, escaped, keeping_null

_BITS = {"smallint": 15, "integer": 31, "bigint": 63}
_CHEAP = frozenset({"email", "token", "digest", "phone", "text"})
"""Masks of text that take about a microsecond: remembering values, most of which never come again, would cost more."""


@dataclass(frozen=True)
class MaskKey:
    """The masking key, ready for use."""

    key: bytes = field(repr=False)

    @classmethod
    def of(cls, masking_key: str) -> MaskKey:
        return cls(derive_key(masking_key))


def compile_rule(rule: ColumnRule, column: Column, key: MaskKey) -> Mask | None:
    """Return the function for a column, which NULLs go through as well; None if values stay as they are. It may remember
    values, so it belongs to one thread.

    Raises UserError for a mask that does not fit the type.
    """
    if rule.kind == "keep":
        return None
    if rule.kind == "null":
        return lambda _value: NULL
    if rule.kind == "fixed":
        fixed = escaped(rule.fixed)
        return lambda _value: fixed
    made = _made(rule, column, keyed_digest(key.key, f"{rule.mask}:{rule.label or rule.mask}"))
    if made is None:
        raise UserError(
            f"The mask `{rule.mask}` does not fit `{column.name}`, which is `{column.type}`.",
            next_step='Choose another mask, "null" or a fixed value in `envs/export.toml`.',
        )
    if column.base in TEXTS and rule.mask in _CHEAP:
        return keeping_null(made)
    return Remembered(made).__getitem__


def _made(rule: ColumnRule, column: Column, digest: Digest) -> Mask | None:
    base, bits = column.base, _BITS.get(column.base)
    if base in TEXTS:
        return _of_text(rule, column, digest)
    if bits is not None:
        if rule.mask == "token":
            return identifiers.integer_token(digest, bits)
        return quantities.number(digest, rule.within, (1 << bits) - 1) if rule.mask == "number" else None
    if base == "uuid" and rule.mask == "token":
        return identifiers.uuid_token(digest)
    if base == "bytea" and rule.mask == "digest":
        return identifiers.bytea_digest(digest)
    if base in ("numeric", "real", "double precision") and rule.mask == "number":
        return quantities.number(digest, rule.within, quantities.largest(column.type))
    if (base == "date" or base.startswith("timestamp")) and rule.mask == "date_shift":
        return quantities.day(digest, rule.within)
    return None


def _of_text(rule: ColumnRule, column: Column, digest: Digest) -> Mask | None:
    """Values that their type calls equal are masked alike: citext without regard to case, char(n) without its padding."""
    make = {
        "email": identifiers.email,
        "token": identifiers.text_token,
        "digest": identifiers.text_digest,
        "name": people.name,
        "phone": people.phone,
        "address": people.address,
        "text": people.text,
    }.get(str(rule.mask))
    if make is None:
        return None
    mask = make(digest, column.length)
    if column.base == "citext":
        return lambda value: mask(value.decode().lower().encode())
    if column.base == "character":
        return lambda value: mask(value.rstrip(b" "))
    return mask
