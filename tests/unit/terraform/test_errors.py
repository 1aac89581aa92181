"""Terraform's errors as typed values: files named from the repository's top, secrets gone before anything is cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.domain.redaction import Redactor
from bot.domain.why import MAX_DETAIL, Diagnostic
from bot.terraform.cli.located import located
from bot.terraform.cli.output_reader import OutputReader

SECRET = "hunter2-hunter2-hunter2"


def line(**content: Any) -> bytes:
    diagnostic = {"severity": "error", "summary": "no", "detail": "why", **content}
    return (
        json.dumps({"@message": "Error: no", "type": "diagnostic", "diagnostic": diagnostic}).encode() + b"\n"
    )


def read(data: bytes) -> tuple[Diagnostic, ...]:
    reader = OutputReader(lambda _progress: None, Redactor([SECRET]))
    reader.feed(data)
    reader.end()
    return tuple(error for _, error in reader.errors())


def test_what_terraform_says() -> None:
    source = {"filename": "main.tf", "start": {"line": 3}, "end": {"line": 5}}
    assert read(line(range=source, address="a.b")) == (Diagnostic("no", "why", "main.tf", 3, 5, "a.b"),)
    assert read(line(severity="warning")) == ()
    assert read(b"Error: no\n\n  on main.tf line 3:\n  3: x\n\nwhy\n") == (
        Diagnostic("no", "why", "main.tf", 3, 3),
    )


@pytest.mark.parametrize("number", [None, "3", True, -1, 0, 1 << 40, [3]])
def test_a_line_that_is_none(number: object) -> None:
    (error,) = read(line(range={"filename": "main.tf", "start": {"line": number}}))
    assert (error.file, error.line, error.end_line) == ("main.tf", 0, 0)


def test_a_secret_is_redacted_before_its_text_is_cut() -> None:
    (error,) = read(line(detail="x" * (MAX_DETAIL - 10) + SECRET, summary=SECRET, address=f'a["{SECRET}"]'))
    assert len(error.detail) <= MAX_DETAIL
    assert "hunter2" not in repr(error)


@pytest.mark.parametrize(
    ("file", "found"),
    [
        ("main.tf", "infra/main.tf"),
        ("modules/x/main.tf", "infra/modules/x/main.tf"),
        ("../envs/staging.tfvars", "envs/staging.tfvars"),
        ("/srv/tree/envs/staging.tfvars", "envs/staging.tfvars"),
        (".terraform/modules/x/main.tf", "infra/.terraform/modules/x/main.tf"),
        ("../../elsewhere/main.tf", ""),
        ("/etc/passwd", ""),
        ("..", ""),
        ("", ""),
        ("a\0b", ""),
    ],
)
def test_files_are_named_from_the_top(file: str, found: str) -> None:
    (error,) = located([Diagnostic("no", "", file, 3, 4)], Path("/srv/tree/infra"), Path("/srv/tree"))
    assert error == Diagnostic("no", "", found, 3 if found else 0, 4 if found else 0)
