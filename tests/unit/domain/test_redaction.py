"""Secrets in the encodings that tools print."""

from __future__ import annotations

import base64
import subprocess
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.redaction import MASK, Redactor

KEY = "9vXqL0-mZ_2rTfWcY7bKdA1nGs4hJpUeQ6iOxRuB3tE"
"""As long as a generated key, and of the same alphabet."""
RAW = KEY.encode()
FORMS = {
    "hex": RAW.hex(),
    "hex in capitals": RAW.hex().upper(),
    "base32": base64.b32encode(RAW).decode(),
    "base32 without padding": base64.b32encode(RAW).decode().rstrip("="),
    "base32 in small letters": base64.b32encode(RAW).decode().lower(),
    "base32 in small letters without padding": base64.b32encode(RAW).decode().lower().rstrip("="),
    "base32 with a line break": base64.b32encode(RAW + b"\n").decode(),
    "base32 in a longer value": base64.b32encode(b"key=" + RAW + b";").decode(),
    "base64": base64.b64encode(RAW).decode(),
    "base64 with a line break": base64.b64encode(RAW + b"\n").decode(),
    "base64 in a longer value": base64.b64encode(b"key=" + RAW + b";").decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_key_in_every_encoding(form: str) -> None:
    shown = Redactor([KEY])(f'"{FORMS[form]}"')
    assert MASK in shown
    assert len(shown) < 20, "at most the characters that also hold bits of its neighbours are left"


@pytest.mark.parametrize("around", ["ABCDEF12", "abcdef12", "0x"])
def test_hexadecimal_digits_among_others(around: str) -> None:
    for text in (RAW.hex(), RAW.hex().upper()):
        assert Redactor([KEY])(around + text + around) == around + MASK + around


@pytest.mark.parametrize(
    ("encode", "width", "length"),
    [("hex", 60, 144), ("base32", 76, 190), ("base64", 76, 144), ("base64", 64, 144)],
)
def test_an_encoding_in_lines(encode: str, width: int, length: int) -> None:
    secret = "".join(chr(33 + number * 7 % 90) for number in range(length))
    raw = secret.encode()
    text = {
        "hex": raw.hex(),
        "base32": base64.b32encode(raw).decode(),
        "base64": base64.b64encode(raw).decode(),
    }
    redact = Redactor([secret])
    lines = textwrap.wrap(text[encode], width)
    assert len(lines) > 2
    assert {redact.line(line).rstrip("=") for line in lines} == {MASK}


def test_what_the_tools_print() -> None:
    """`base64` with the line break that `echo` adds, as people use it."""
    printed = subprocess.run(["base64"], input=RAW + b"\n", capture_output=True, check=True).stdout.decode()
    shown = Redactor([KEY])(printed.strip())
    assert shown.startswith(MASK)
    assert len(shown) < 8


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=8, max_size=40),
    st.binary(max_size=7),
)
def test_an_encoded_secret_cannot_be_read_back(secret: str, before: bytes) -> None:
    """Whatever stands before it, three quarters of the encoding are hidden."""
    raw = secret.encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode, base64.b32encode):
        text = encode(before + raw + b"\n").decode()
        shown = Redactor([secret])(text)
        assert MASK in shown
        assert len(shown) - len(MASK) <= len(encode(before)) + 11
    assert Redactor([secret])(raw.hex()) == MASK


@pytest.mark.parametrize(
    "text",
    [
        "aws_security_group.infrastructure: Refreshing state... [id=sg-0123456789abcdef0]",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    ],
)
def test_other_digits_stay(text: str) -> None:
    assert Redactor([KEY, "hunter22"])(text) == text
