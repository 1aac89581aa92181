"""Mask rows of COPY's text format, block by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.exports.masks import Mask

Masker = Callable[[bytes], bytes]
"""From whole rows, each with its line break, to as many."""


def row_masker(masks: Sequence[Mask | None]) -> Masker | None:
    """Return the function that masks whole rows. masks: by column, None for one that stays. None if all stay.

    Columns are masked one after another over a block, so that the loop over rows is Python's own; a tab or a line break in
    a value is escaped in this format, so splitting is exact.
    """
    chosen = [(index, mask) for index, mask in enumerate(masks) if mask is not None]
    if not chosen:
        return None
    width = len(masks)
    if width == 1:
        only = chosen[0][1]
        return lambda block: b"".join([only(row) + b"\n" for row in block[:-1].split(b"\n")])

    def mask_rows(block: bytes) -> bytes:
        fields = block[:-1].replace(b"\n", b"\t").split(b"\t")
        for index, mask in chosen:
            fields[index::width] = map(mask, fields[index::width])
        columns = [fields[index::width] for index in range(width)]
        return b"\n".join(map(b"\t".join, zip(*columns, strict=True))) + b"\n"

    return mask_rows
