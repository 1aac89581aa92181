"""Download the end of a file from the server that GitHub redirects to."""

from __future__ import annotations

import time

import httpx

from bot.domain.ports.forge import ForgeError

LARGEST = 32 << 20
"""Bytes that are read at most: the stores that GitHub uses cannot send just the end."""
SECONDS = 30.0
"""For the whole download."""
TIMEOUT = 10.0
"""Seconds for each of connecting, sending and receiving."""


def download_end(url: httpx.URL, most: int, *, largest: int = LARGEST, seconds: float = SECONDS) -> bytes:
    """Return the last `most` bytes at a URL, without holding more than twice that in memory.

    Nothing of ours is sent along: the address itself grants access, for a minute. No redirect is followed. Raises
    ForgeError if it is larger than `largest` or takes longer than `seconds`.
    """
    until, size, end = time.monotonic() + seconds, 0, bytearray()
    try:
        with (
            httpx.Client(timeout=TIMEOUT, follow_redirects=False) as client,
            client.stream("GET", url, headers={"accept-encoding": "identity"}) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise ForgeError(
                    f"The log's server answered {answer.status_code}.", status=answer.status_code
                )
            for chunk in answer.iter_raw(1 << 16):
                size += len(chunk)
                if size > largest:
                    raise ForgeError(f"The log is larger than {largest >> 20} MB.")
                if time.monotonic() > until:
                    raise ForgeError(f"The log did not arrive within {seconds:g} s.")
                end += chunk
                if len(end) > 2 * most:
                    del end[:-most]
    except httpx.HTTPError as error:
        raise ForgeError(f"The log cannot be downloaded: {type(error).__name__}.") from error
    return bytes(end[-most:])
