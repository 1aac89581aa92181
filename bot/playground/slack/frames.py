"""WebSocket frames (RFC 6455) as a server needs them: small texts, pings, a close."""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import BinaryIO

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
MOST = 1 << 20
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_key(key: str) -> str:
    """The Sec-WebSocket-Accept for a client's Sec-WebSocket-Key."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def frame(opcode: int, payload: bytes) -> bytes:
    """One whole frame, unmasked as a server's are."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 127, size)
    return head + payload


def read_frame(stream: BinaryIO) -> tuple[int, bytes]:
    """Opcode and payload of the next frame. Raises EOFError at the end, ValueError for what no client may send."""
    first, second = _exactly(stream, 2)
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack("!H", _exactly(stream, 2))
    elif size == 127:
        (size,) = struct.unpack("!Q", _exactly(stream, 8))
    if not first & 0x80 or not second & 0x80 or size > MOST:
        raise ValueError("a fragment, an unmasked or a huge frame")
    mask = _exactly(stream, 4)
    payload = _exactly(stream, size)
    return first & 0x0F, bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
