"""JSON as Terraform writes it: numbers have up to 512 bits and any exponent, written out in digits."""

from __future__ import annotations

import json
import math
import re
import secrets
from collections.abc import Callable
from typing import Any


def read_json(text: str | bytes | bytearray) -> Any:
    """Parse Terraform's output and states, like json.loads.

    A number that Python refuses (more than 4,300 digits) or reads as infinite becomes the string of its digits. Raises
    ValueError for anything that is not JSON or is nested too deeply.
    """
    try:
        try:
            return json.loads(text, parse_float=_float)
        except ValueError:  # a long number, or not JSON at all
            return json.loads(text, parse_float=_float, parse_int=_int)
    except RecursionError:
        raise ValueError("nested too deep") from None


def read_json_exactly(text: str, number: Callable[[str], object]) -> Any:
    """Parse JSON, each number by `number` from its digits. Raises ValueError for anything that is not JSON, is nested too
    deeply, or has a key twice in one object."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a key occurs twice")
        return found

    try:
        return json.loads(text, parse_int=number, parse_float=number, object_pairs_hook=unique)
    except RecursionError:
        raise ValueError("nested too deep") from None


def change_json(text: str | bytes, **values: object) -> bytes:
    """Return a JSON object with `values` replaced and all other numbers kept digit by digit.

    Raises ValueError for anything that is not a JSON object or is nested too deeply.
    """
    mark = f"number-{secrets.token_hex(8)}:"

    def keep(digits: str) -> str:
        return mark + digits

    try:
        document = {**json.loads(text, parse_int=keep, parse_float=keep), **values}
        written = json.dumps(document, indent=2)
    except (RecursionError, TypeError) as error:
        raise ValueError(f"not an object that can be changed: {error}") from error
    return re.sub(rf'"{mark}([^"]*)"', r"\1", written).encode()


def _int(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:
        return digits


def _float(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits
