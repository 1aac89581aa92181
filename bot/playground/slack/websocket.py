"""WebSocket frames (RFC 6455), as far as a small server needs them: texts, pings, close."""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import BinaryIO

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
MAX_SIZE = 1 << 20
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_key(key: str) -> str:
    """Return the Sec-WebSocket-Accept for a client's Sec-WebSocket-Key."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a complete frame, unmasked, as servers send them."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 127, size)
    return head + payload


def read_frame(stream: BinaryIO) -> tuple[int, bytes]:
    """Read the next frame and return its opcode and payload. Raises EOFError at the end, ValueError for invalid frames."""
    first, second = _read_exactly(stream, 2)
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack("!H", _read_exactly(stream, 2))
    elif size == 127:
        (size,) = struct.unpack("!Q", _read_exactly(stream, 8))
    if not first & 0x80 or not second & 0x80 or size > MAX_SIZE:
        raise ValueError("a fragmented, unmasked or too large frame")
    mask = _read_exactly(stream, 4)
    payload = _read_exactly(stream, size)
    return first & 0x0F, bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def _read_exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
