"""Output and files that were made to break the reader: each is read, or refused in one sentence, in good time."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.redaction import MASK, Redactor
from bot.errors import UserError
from bot.terraform.cli import json_ui
from bot.terraform.cli.bounded_log import MAX_LINE, LineSplitter
from bot.terraform.config.backend_block import declared_backend, ensure_backend
from bot.terraform.config.hcl import parse
from bot.terraform.config.hcl_tokens import ParseError
from tests.contract.state_store import state

ODD: st.SearchStrategy[object] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.builds(dict), st.just([7])
)
PARTS = {"hook", "change", "diagnostic", "resource", "addr", "range", "start", "snippet", "elapsed_seconds"}


@pytest.mark.parametrize(
    "line", ["a-" * 500_000, "eyJ-" * 250_000, "eyJaaaaaaaaaaaaaa-" * 50_000, "secret-" * 140_000]
)
def test_a_megabyte_in_one_line_is_redacted_in_good_time(line: str) -> None:
    # What grows with the square of the length takes hours.
    before = time.process_time()
    assert Redactor(["hunter22"])(line + " hunter22").endswith(f" {MASK}")
    assert time.process_time() - before < 20


def test_long_tokens_are_hidden_whole() -> None:
    token = "eyJ" + "a" * 600 + ".eyJ" + "b" * 20_000 + "." + "c" * 400
    assert Redactor()(f"see {token} and") == f"see {MASK} and"
    assert Redactor()('my_db_password = "hunter22"') == f'my_db_password = "{MASK}"'


def test_comments_without_an_end_are_refused_in_good_time() -> None:
    before = time.process_time()
    with pytest.raises(ParseError, match="a comment is not closed"):
        parse(b'a = "${' + b"/* " * 300_000 + b'"')
    assert time.process_time() - before < 10


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('\nresource "a" "b" {\n  x {\n', "`x` block that starts on line 3 is not closed"),
        ('x = 1\ny = "', "on line 2 is not closed"),
        ("x = <<E\ntext\n", "on line 1 is not closed"),
        ('\n\nx = "a\nb"', "the string on line 3 is not closed"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, where: str) -> None:
    with pytest.raises(ParseError, match=where):
        parse(text.encode())


def test_a_root_without_files_is_not_planned(tmp_path: Path) -> None:
    """With an override of ours in it, Terraform would plan to destroy everything."""
    for _ in range(2):
        with pytest.raises(UserError, match="has no Terraform files"):
            ensure_backend(tmp_path, "http")
        (tmp_path / "README.md").write_text("moved\n")
    (tmp_path / "main.tf").write_text("# nothing is left\n")
    ensure_backend(tmp_path, "http")


def test_a_pointer_of_lfs_is_told(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(UserError, match="Git LFS pointer"):
        declared_backend(tmp_path)


def test_names_from_outside_are_no_markup(tmp_path: Path) -> None:
    (tmp_path / "`<@U0BOB> [x](y).tf").write_text("{")
    (tmp_path / "zz_override.tf").write_text('terraform {\n  backend "a` [x](https://evil.example)" {}\n}\n')
    with pytest.raises(UserError) as caught:
        declared_backend(tmp_path)
    assert caught.value.what.count("`") == 2
    assert not any(sign in caught.value.what for sign in ("<@", "]("))
    next(tmp_path.glob("`*")).unlink()
    with pytest.raises(UserError) as caught:
        declared_backend(tmp_path)
    assert caught.value.what.count("`") == 4
    assert "](" not in caught.value.what


@given(
    st.recursive(ODD, lambda inner: st.dictionaries(st.sampled_from(sorted(PARTS)), inner, max_size=4)),
    st.sampled_from(["diagnostic", "apply_start", "apply_progress", "apply_errored", "log", 7]),
    st.text(max_size=5),
)
def test_whatever_a_line_holds_it_is_text(content: object, kind: object, message: str) -> None:
    """A provisioner may write into Terraform's own output."""
    event = {"@message": message, "type": kind, **dict.fromkeys(PARTS, content)}
    if isinstance(content, dict):
        event |= content
    line = json.dumps(event)
    said = json_ui.read(line)
    texts = [part for one in said for part in (one.line, one.address, one.action)] + [
        said for said, _ in json_ui.errors(line)
    ]
    for text in texts:
        assert "\0" not in text
        text.encode()
    json.dumps([one.elapsed for one in said], allow_nan=False)


def test_an_error_that_is_too_long_is_still_an_error() -> None:
    message = 'Error: Resource "precondition" failed'
    line = json.dumps(
        {
            "@level": "error",
            "@message": message,
            "@module": "terraform.ui",
            "diagnostic": {"detail": "x" * MAX_LINE},
        },
        separators=(",", ":"),
    )
    lines = LineSplitter()
    (cut,) = [*lines.feed(line.encode() + b"\n"), *lines.end()]
    ((error, _),) = json_ui.errors(cut.decode())
    assert error == f"{message} (the rest is too long to be shown)"
    (said,) = json_ui.read(cut.decode().replace('"error"', '"info"'))
    assert said.line.startswith(message)
    assert list(json_ui.errors('{"@level":"error","@message":"\\x","@module":"terraform.ui",')) == []


@pytest.mark.parametrize(
    ("name", "content", "refused"),
    [
        ("terraform.tfstate", b"", False),
        ("terraform.tfstate", state(1), False),
        ("terraform.tfstate", state(1, outputs={"a": {"value": 1}}), True),
        ("terraform.tfstate", b"{}", True),
        ("terraform.tfstate", b"\xff", True),
        ("terraform.tfstate.d/pr-1/terraform.tfstate", state(1), True),
        ("terraform.tfstate.backup", b"{}", False),
    ],
)
def test_a_state_beside_the_configuration(tmp_path: Path, name: str, content: bytes, refused: bool) -> None:
    """Terraform would ask what to do with it, in words that help nobody here."""
    (tmp_path / "main.tf").touch()
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(content)
    if refused:
        with pytest.raises(UserError, match="committed beside"):
            ensure_backend(tmp_path, "http")
    else:
        ensure_backend(tmp_path, "http")
