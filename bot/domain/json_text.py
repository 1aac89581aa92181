"""JSON as Terraform writes it: its numbers have 512 bits and any exponent, and are written out digit by digit."""

from __future__ import annotations

import json
import math
import re
import secrets
from typing import Any


def read(text: str | bytes | bytearray) -> Any:
    """Like json.loads, for Terraform's output and states. A number that Python would not read (more than 4,300 digits)
    or would read as infinite is the text of its digits.

    Raises ValueError for what is no JSON, and for what is nested too deep for anyone.
    """
    try:
        try:
            return json.loads(text, parse_float=_float)
        except ValueError:  # a long number, unless this reading says the same
            return json.loads(text, parse_float=_float, parse_int=_int)
    except RecursionError:
        raise ValueError("nested too deep") from None


def changed(text: str | bytes, **values: object) -> bytes:
    """A JSON object with `values` instead of its own, all its other numbers written as they were, to the last digit.

    Raises ValueError for what is no JSON object, or is nested too deep.
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
