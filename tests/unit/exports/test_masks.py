"""Masks: of the column's type, deterministic, NULL stays NULL, unique stays unique."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.exports import Column, ColumnRule, MaskName
from bot.domain.exports.masks import refuse_mask
from bot.errors import UserError
from bot.exports.masks import Mask, MaskKey, compile_rule
from bot.exports.masks.digest import key_id

KEY = MaskKey.of("k" * 40)
OTHER = MaskKey.of("o" * 40)
TYPES = (
    "text",
    "character varying",
    "character",
    "citext",
    "name",
    "smallint",
    "integer",
    "bigint",
    "numeric",
    "real",
    "double precision",
    "date",
    "timestamp without time zone",
    "timestamp with time zone",
    "uuid",
    "bytea",
)
BITS = {"smallint": 15, "integer": 31, "bigint": 63}


def mask(name: str, base: str = "text", *, key: MaskKey = KEY, **more: object) -> Mask:
    rule = ColumnRule("mask", name, str(more.pop("label", "")), int(str(more.pop("within", 30))))  # type: ignore[arg-type]
    length = int(str(more.pop("length", 0)))
    made = compile_rule(rule, Column("c", str(more.pop("type", base)), base, length=length), key)
    assert made is not None
    return made


def copied(text: str) -> bytes:
    """A text as COPY writes it."""
    for raw, written in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"), ("\b", "\\b")):
        text = text.replace(raw, written)
    return text.encode()


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200)


@pytest.mark.parametrize("name", get_args(MaskName))
@pytest.mark.parametrize("base", TYPES)
def test_fits_exactly_the_types_that_the_policy_allows(name: MaskName, base: str) -> None:
    if refuse_mask(name, Column("c", base, base)):
        with pytest.raises(UserError, match="does not fit"):
            mask(name, base)
    else:
        assert mask(name, base)(b"\\N") == b"\\N"


@given(
    texts,
    st.sampled_from(["email", "name", "phone", "address", "text", "token", "digest"]),
    st.integers(18, 60),
)
def test_texts_are_plain_deterministic_and_short_enough(text: str, name: str, length: int) -> None:
    value = copied(text)
    made = mask(name, length=length)
    found = made(value)
    assert found == made(value) == mask(name, length=length)(value)
    assert len(found) <= length
    assert found.isascii()
    assert not set(found) & set(b"\\\t\n\r")
    if name != "text":
        assert found


@given(texts)
def test_filler_has_as_many_characters_and_no_word_of_the_text(text: str) -> None:
    found = mask("text")(copied(text))
    assert len(found) == len(text)
    assert found == mask("text")(copied("x" * len(text)))


def test_filler_of_a_huge_text_is_short() -> None:
    assert len(mask("text")(b"\xc3\xa9" * 10_000_000)) == 65536


@given(st.sets(texts, min_size=2, max_size=50), st.sampled_from(["email", "token", "digest"]))
def test_different_texts_stay_different(found: set[str], name: str) -> None:
    made = mask(name)
    assert len({made(copied(text)) for text in found}) == len(found)


def test_addresses_reach_nobody() -> None:
    assert mask("email")(b"ann@acme.com").endswith(b"@example.com")
    assert len(mask("email", length=18)(b"ann@acme.com")) == 18
    assert mask("phone")(b"+49 30 123").startswith(b"+999")


def test_a_name_has_the_shape_of_the_value() -> None:
    assert b" " not in mask("name")(b"Ann")
    assert mask("name")(b"Ann Lee").count(b" ") == 1


def test_key_and_label_decide() -> None:
    value = b"ann@acme.com"
    assert mask("token")(value) != mask("token", key=OTHER)(value)
    assert mask("token")(value) != mask("token", label="other")(value)
    assert mask("token", label="same")(value) == mask("token", "character varying", label="same")(value)
    assert key_id("k" * 40) != key_id("o" * 40)


def test_values_that_their_type_calls_equal_stay_equal() -> None:
    assert mask("email", "citext")("ÄNN@acme.com".encode()) == mask("email", "citext")(
        "änn@ACME.com".encode()
    )
    assert mask("token", "character", length=30)(b"ann       ") == mask("token")(b"ann")


@given(st.sampled_from(sorted(BITS)), st.data())
def test_integer_tokens_are_a_permutation_of_the_type(base: str, data: st.DataObject) -> None:
    limit = 1 << BITS[base]
    found = data.draw(st.sets(st.integers(-limit, limit - 1), min_size=1, max_size=20))
    made = mask("token", base)
    masked = {number: int(made(str(number).encode())) for number in found}
    assert len(set(masked.values())) == len(found)
    assert all(-limit <= one < limit and (one < 0) == (number < 0) for number, one in masked.items())


def test_small_integers_are_permuted_completely() -> None:
    made = mask("token", "smallint")
    everything = range(-(1 << 15), 1 << 15)
    assert sorted(int(made(b"%d" % number)) for number in everything) == list(everything)


@given(st.uuids())
def test_uuids_are_of_version_4(value: UUID) -> None:
    found = UUID(mask("token", "uuid")(str(value).encode()).decode())
    assert (found.version, found.variant) == (4, "specified in RFC 4122")
    assert found != value


def test_bytes_become_a_digest() -> None:
    found = mask("digest", "bytea")(b"\\\\xdead")
    assert found.startswith(b"\\\\x")
    assert len(bytes.fromhex(found[3:].decode())) == 16


@given(st.sampled_from(sorted(BITS)), st.data(), st.integers(1, 10**9))
def test_integers_stay_near_and_in_range(base: str, data: st.DataObject, within: int) -> None:
    limit = 1 << BITS[base]
    number = data.draw(st.integers(-limit, limit - 1))
    found = int(mask("number", base, within=within)(str(number).encode()))
    assert -limit <= found < limit
    assert abs(found - number) <= within
    assert found == 0 or (found < 0) == (number < 0)


@given(st.decimals(-99_999_999, 99_999_999, places=2), st.integers(1, 10**9))
def test_numerics_keep_precision_and_decimals(value: Decimal, within: int) -> None:
    text = f"{value:f}"
    found = Decimal(mask("number", "numeric", type="numeric(10,2)", within=within)(text.encode()).decode())
    assert found.as_tuple().exponent == -2
    assert abs(found) < 10**8
    assert abs(found - value) <= within


def test_numbers_beyond_the_digits_of_a_context() -> None:
    value = Decimal("123456789012345678901234567890123456789.123456789")
    found = Decimal(mask("number", "numeric", within=5)(str(value).encode()).decode())
    assert found != value
    assert str(found)[:37] == str(value)[:37]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_stay_finite(value: float) -> None:
    found = float(mask("number", "double precision", within=7)(repr(value).encode()))
    assert abs(found - value) <= 7 + abs(value) * 1e-15


@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_without_digits_stay(value: bytes) -> None:
    assert mask("number", "numeric")(value) == value


@given(st.dates(), st.integers(1, 10**9))
def test_dates_move_within_their_years(value: date, within: int) -> None:
    found = date.fromisoformat(mask("date_shift", "date", within=within)(str(value).encode()).decode())
    assert found != value
    assert abs(found - value) <= timedelta(min(within, 3_652_058))


@pytest.mark.parametrize(
    "value",
    [
        b"2024-02-29 23:59:59.123456+00",
        b"0044-03-15 12:00:00+00 BC",
        b"12024-01-01 00:00:00",
        b"0001-02-29 BC",
    ],
)
def test_times_of_day_and_eras_stay(value: bytes) -> None:
    found = mask("date_shift", "timestamp with time zone")(value)
    assert found != value
    assert found.split(b" ")[1:] == value.split(b" ")[1:]


def test_distances_have_a_default() -> None:
    assert mask("number", "integer", within=0)(b"5") != b"5"
    assert mask("date_shift", "date", within=0)(b"2024-02-29") != b"2024-02-29"


@pytest.mark.parametrize("value", [b"infinity", b"-infinity"])
def test_infinite_days_stay(value: bytes) -> None:
    assert mask("date_shift", "date")(value) == value


def test_an_error_does_not_show_the_value() -> None:
    with pytest.raises(UserError) as refused:
        mask("date_shift", "date")(b"ann@acme.com")
    assert "acme" not in f"{refused.value} {refused.value.what} {refused.value.next_step}"


def test_a_column_is_kept_cleared_or_fixed() -> None:
    column = Column("c", "text", "text")
    assert compile_rule(ColumnRule("keep"), column, KEY) is None
    for rule, expected in (
        (ColumnRule("null"), b"\\N"),
        (ColumnRule("fixed", fixed="tab\there \\N"), b"tab\\there \\\\N"),
        (ColumnRule("fixed", fixed=True), b"t"),
    ):
        made = compile_rule(rule, column, KEY)
        assert made is not None
        assert made(b"secret") == made(b"\\N") == expected


def test_remembering_is_bounded() -> None:
    made = mask("token", "bigint")
    first = made(b"1")
    for number in range(40_000):
        made(b"%d" % number)
    assert made(b"1") == first
    assert len(made.__self__) <= 32_768  # type: ignore[attr-defined]
