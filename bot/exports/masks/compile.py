"""Choose the function that turns a column's values into what is exported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.domain.exports import Column, ColumnRule
from bot.errors import UserError
from bot.exports.masks import identifiers, people, quantities
from bot.exports.masks.digest import Digest, derive_key, keyed_digest

Mask = Callable[[bytes], bytes]
"""From a field of COPY's text format to another one, never NULL."""

NULL = b"\\N"
_BITS = {"smallint": 15, "integer": 31, "bigint": 63}
_TEXTS = ("text", "character varying", "character", "citext", "name")
_REMEMBERED = 50_000
"""Values that a mask remembers: keys come again and again, and memory stays flat."""


@dataclass(frozen=True)
class MaskKey:
    """The masking key, ready for use."""

    key: bytes = field(repr=False)

    @classmethod
    def of(cls, masking_key: str) -> MaskKey:
        return cls(derive_key(masking_key))


def compile_rule(rule: ColumnRule, column: Column, key: MaskKey) -> Mask | None:
    """Return the function for a column, which NULLs go through as well; None if values stay as they are.

    Raises UserError for a mask that does not fit the type.
    """
    if rule.kind == "keep":
        return None
    if rule.kind == "null":
        return lambda _value: NULL
    if rule.kind == "fixed":
        fixed = _escaped(rule.fixed)
        return lambda _value: fixed
    made = _made(rule, column, keyed_digest(key.key, f"{rule.mask}:{rule.label or rule.mask}"))
    if made is None:
        raise UserError(
            f"The mask `{rule.mask}` does not fit `{column.name}`, which is `{column.type}`.",
            next_step='Choose another mask, "null" or a fixed value in `envs/export.toml`.',
        )
    return _remembering(made)


def _made(rule: ColumnRule, column: Column, digest: Digest) -> Mask | None:
    base, length, bits = column.base, column.length, _BITS.get(column.base)
    if base in _TEXTS:
        make = {
            "email": identifiers.email,
            "token": identifiers.text_token,
            "digest": identifiers.text_digest,
            "name": people.name,
            "phone": people.phone,
            "address": people.address,
            "text": people.text,
        }.get(str(rule.mask))
        return make(digest, length) if make else None
    if bits is not None:
        if rule.mask == "token":
            return identifiers.integer_token(digest, bits)
        return quantities.integer(digest, bits, rule.within) if rule.mask == "number" else None
    if base == "uuid" and rule.mask == "token":
        return identifiers.uuid_token(digest)
    if base == "bytea" and rule.mask == "digest":
        return identifiers.bytea_digest(digest)
    if base in ("numeric", "real", "double precision") and rule.mask == "number":
        return quantities.decimal(digest, rule.within)
    if (base == "date" or base.startswith("timestamp")) and rule.mask == "date_shift":
        return quantities.day(digest, rule.within)
    return None


def _remembering(mask: Mask) -> Mask:
    """Let NULL through, and remember recent values."""
    known: dict[bytes, bytes] = {NULL: NULL}
    get = known.get

    def remembering(value: bytes) -> bytes:
        found = get(value)
        if found is None:
            found = mask(value)
            if len(value) < 256:
                if len(known) >= _REMEMBERED:
                    known.clear()
                    known[NULL] = NULL
                known[value] = found
        return found

    return remembering


def _escaped(value: object) -> bytes:
    """Return a fixed value as COPY's text format has it."""
    if isinstance(value, bool):
        return b"t" if value else b"f"
    text = str(value)
    for raw, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(raw, escaped)
    return text.encode()
