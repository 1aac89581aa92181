"""What a var file sets, however it is written."""

from __future__ import annotations

import pytest

from bot.errors import UserError
from bot.terraform.config.var_file import var_file_values


def values(text: str, path: str = "envs/prod.tfvars") -> dict[str, tuple[str, str, int]]:
    return {one.name: (one.type, one.value, one.line) for one in var_file_values(path, text.encode())}


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        ("3", "number", "3"),
        ("3.0", "number", "3"),
        ("-2.5", "number", "-2.5"),
        ("12345678901234567890123", "number", "12345678901234567890123"),
        ("true", "bool", "true"),
        ("null", "null", "null"),
        (r'"a\tb $${c}"', "string", r'"a\tb ${c}"'),
        ("[1, [2], \n 3]", "list", "[1, [2], 3]"),
        ("[]", "list", "[]"),
        ('{ b = 1, "a" : [] }', "map", '{"a": [], "b": 1}'),
        ("{\n b = 1 # why\n a = []\n}", "map", '{"a": [], "b": 1}'),
        ("<<-EOT\n    one\n      two\n  EOT", "string", r'"one\n  two\n"'),
        ("<<EOT\n one\nEOT", "string", r'" one\n"'),
        ('"a${b}"', "expression", '"a${b}"'),
        ("file(x)", "expression", "file ( x )"),
        ("[" * 100 + "]" * 100, "expression", " ".join("[" * 100 + "]" * 100)),
    ],
)
def test_a_value(text: str, type_: str, value: str) -> None:
    assert values(f"\nx = {text}\n") == {"x": (type_, value, 2)}


def test_json() -> None:
    found = values('{"x": {"b": 1, "a": [true]}, "n": 1.5, "s": "é", "z": null}', "envs/prod.tfvars.json")
    assert found == {
        "x": ("map", '{"a": [true], "b": 1}', 0),
        "n": ("number", "1.5", 0),
        "s": ("string", '"é"', 0),
        "z": ("null", "null", 0),
    }


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('x = "', "a.tfvars"),
        ("x", "a.tfvars.json"),
        ("[1]", "a.tfvars.json"),
        ('{"x": ' + "[" * 90_000 + "]" * 90_000 + "}", "a.tfvars.json"),
        ("#" * (2 << 20), "a.tfvars"),
    ],
)
def test_what_cannot_be_parsed(text: str, path: str) -> None:
    with pytest.raises(UserError, match=f"`{path}` cannot be parsed"):
        values(text, f"envs/{path}")
