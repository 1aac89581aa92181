"""Parse configuration in JSON syntax (`.tf.json`), keeping duplicate keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bot.terraform.config.hcl_tokens import ParseError


def parse_json(content: bytes) -> list[tuple[str, Any]]:
    """Parse the top level of a `.tf.json` file as pairs, since a key may occur twice and both count. Raises ParseError.

    Nested objects are lists of pairs as well.
    """
    try:
        document = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise ParseError(f"not JSON: {error}") from error
    return list(pairs(document))


class _Pairs(list[tuple[str, Any]]):
    """A JSON object in order, with its duplicate keys."""


def pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the pairs of an object, or of all objects in a list: JSON syntax allows both for a block."""
    if isinstance(value, _Pairs):
        yield from value
    elif isinstance(value, list):
        for item in value:
            yield from pairs(item)


def line_of(content: bytes, name: str) -> int:
    """Return the line of a JSON file that first has a key that begins with this name, or 0."""
    position = content.find(f'"{name}'.encode())
    return content.count(b"\n", 0, position) + 1 if position >= 0 else 0
