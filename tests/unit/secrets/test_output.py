"""What the secrets command may print. Nothing is skipped, and no mistake is told with a value."""

from __future__ import annotations

import pytest

from bot.secrets.output import NotUnderstood, parse_output

SECRET = "hunter2-never-shown"


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ("{}", {}),
        ('\ufeff {"TOKEN": "x", "PORT": 5, "DEBUG": true}\n', {"TOKEN": "x", "PORT": "5", "DEBUG": "true"}),
        ('{"KEY": "line 1\\nline 2"}', {"KEY": "line 1\nline 2"}),
        ("TOKEN=x\n\n# a remark\nexport REGION=eu-1\n", {"TOKEN": "x", "REGION": "eu-1"}),
        (
            "KEY=\"line 1\nline 2\"\nEMPTY=\nRAW='a $b ${c}'",
            {"KEY": "line 1\nline 2", "EMPTY": "", "RAW": "a $b ${c}"},
        ),
    ],
)
def test_both_formats(output: str, found: dict[str, str]) -> None:
    assert parse_output(output.encode()) == found


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("", "printed nothing"),
        (" \n", "printed nothing"),
        (f'{{"TOKEN": "{SECRET}"', "a JSON object with a mistake (line 1)"),
        (f'{{"TOKEN": "{SECRET}"}}\nwarning: deprecated', "a JSON object with a mistake (line 2)"),
        (f'["{SECRET}"]', "neither a JSON object nor lines such as `NAME=value` (line 1)"),
        (f"TOKEN=x\n\n{SECRET}\n", "neither a JSON object nor lines such as `NAME=value` (line 3)"),
        (f"TOKEN=x\nKEY='{SECRET}\n", "neither a JSON object nor lines such as `NAME=value` (line 2)"),
        (f"-----BEGIN KEY-----\n{SECRET}=\n", "neither a JSON object"),
        (f'{{"A": "x", "{SECRET}": "y"}}', "something else than the name of a variable (key 2)"),
        (f'{{"data": {{"TOKEN": "{SECRET}"}}}}', "a `data` that is not a text, a number or a boolean"),
        (f'{{"TOKEN": null, "B": "{SECRET}"}}', "a `TOKEN` that is not a text"),
        (f'{{"TOKEN": "{SECRET}\\u0000"}}', "a `TOKEN` that is not a text"),
        (f'{{"TOKEN": "{SECRET}", "TOKEN": "x"}}', "printed `TOKEN` twice"),
        (f"TOKEN={SECRET}\nTOKEN=x", "printed `TOKEN` twice"),
    ],
)
def test_anything_else_is_refused_as_a_whole(output: str, told: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        parse_output(output.encode())
    assert told in str(caught.value)
    assert SECRET not in str(caught.value)


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(NotUnderstood, match="not UTF-8"):
        parse_output(b"TOKEN=\xff\xfe")
