"""Secrets out of text; lines, logs and events."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.policy.loader import parse_policy
from bot.domain.ports.terraform import GitAccess, PlanOptions, WorkDir
from bot.domain.redaction import Redactor
from bot.domain.why import split_errors
from bot.playground import sample
from bot.terraform.cli import json_ui
from bot.terraform.cli.argv import Command
from bot.terraform.cli.bounded_log import MAX_LINE, BoundedLog, LineSplitter
from bot.terraform.cli.env import Environment

SECRET = 'p<ss & "w/rd" ü+'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        json.dumps(SECRET).replace("<", r"\u003c").replace("&", r"\u0026"),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_known_secret_is_hidden_in_every_form(form: str) -> None:
    shown = Redactor([SECRET])(f"before {form} after")
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert "***" in shown
    assert form.strip('"=')[3:-3] not in shown


@pytest.mark.parametrize("user", ["u", "me", "you"])
def test_a_secret_inside_a_basic_header(user: str) -> None:
    secret = "a-long-password-here"
    header = base64.b64encode(f"{user}:{secret}".encode()).decode()
    shown = Redactor([secret])(header)
    assert secret[2:] not in base64.b64decode(shown.replace("***", "") + "===").decode(errors="replace")


def test_shapes_that_tell() -> None:
    redact = Redactor()
    for secret in (
        "AKIA" + "A1B2C3D4E5F6G7H8",
        "ghp_" + "a" * 36,
        "github_pat_" + "a" * 30,
        "xoxb-" + "1" * 12,
        "eyJ" + "a" * 20 + ".eyJ" + "b" * 20 + ".c",
    ):
        assert secret not in redact(f"see {secret}.")
    assert redact('password = "hunter22"') == 'password = "***"'
    assert redact('{"db_password": "hunter22", "a": 1}') == '{"db_password": "***", "a": 1}'
    assert redact("password = (sensitive value)") == "password = (sensitive value)"
    assert redact("https://me:pass-word@host/x") == "https://me:***@host/x"
    assert redact('size = "s" -> "m"') == 'size = "s" -> "m"'
    assert Redactor(["", "ab", "abc"])("abc stays") == "abc stays"


def test_private_keys_over_lines_and_in_one() -> None:
    pem = ["-----BEGIN RSA PRIVATE KEY-----", *["MIIEow" * 8] * 3, "-----END RSA PRIVATE KEY----- tail"]
    redact = Redactor()
    shown = "\n".join(redact.line(line) for line in ["head", *pem, "after"])
    assert "MIIE" not in shown
    assert shown.startswith("head\n")
    assert shown.endswith(" tail\nafter")
    assert "MIIE" not in Redactor()(json.dumps("\n".join(pem)))
    redact.line("-----BEGIN PRIVATE KEY-----")
    assert [redact.line("text") for _ in range(400)][-1] == "text"
    multi = Redactor(["first-line-of-it\nsecond-line-of-it"])
    assert [multi.line(line) for line in ("first-line-of-it", "second-line-of-it")] == ["***", "***"]


@given(st.lists(st.binary(max_size=30)), st.integers(1, 7))
def test_lines_are_the_same_however_they_arrive(parts: list[bytes], size: int) -> None:
    data = b"\n".join(part.replace(b"\n", b"").replace(b"\r", b"") for part in parts)
    lines = LineSplitter()
    got = [line for at in range(0, len(data), size) for line in lines.feed(data[at : at + size])]
    got += lines.end()
    want = data.split(b"\n")
    assert got == (want if want[-1] else want[:-1])


def test_a_line_without_end_is_cut() -> None:
    lines = LineSplitter()
    got = [line for _ in range(40) for line in lines.feed(b"x" * 65536)] + [
        *lines.feed(b"y\nnext\n"),
        *lines.end(),
    ]
    assert [len(line) for line in got] == [MAX_LINE, 4]


def test_a_log_keeps_both_ends() -> None:
    log = BoundedLog()
    for number in range(100_000):
        log.add(f"line {number}")
    assert log.text.startswith("line 0\n")
    assert log.text.endswith("line 99999")
    assert len(log.text) < 600_000
    assert "lines left out" in log.text


def test_events() -> None:
    start = {
        "@message": "a.b: Creating...",
        "type": "apply_start",
        "hook": {"resource": {"addr": "a.b"}, "action": "create"},
    }
    (said,) = json_ui.read(json.dumps(start))
    assert (said.address, said.state, said.action) == ("a.b", "started", "create")
    assert json_ui.read('{"@message": "Terraform 1.11.4", "type": "version"}') == ()
    assert [said.line for said in json_ui.read("{not json")] == ["{not json"]
    problem = {
        "@message": "Error: no",
        "type": "diagnostic",
        "diagnostic": {
            "severity": "error",
            "summary": "no",
            "detail": "why",
            "range": {"filename": "main.tf", "start": {"line": 3}},
            "snippet": {"code": "x = y", "context": 'resource "a" "b"'},
        },
    }
    text = 'Error: no\n  on main.tf line 3, in resource "a" "b"\n  3: x = y\n\nwhy'
    assert [said for said, _ in json_ui.errors(json.dumps(problem))] == [text]
    assert "\n".join(said.line for said in json_ui.read(json.dumps(problem))) == text
    boxed = "ok\n╷\n│ Error: one\n│ \n│ because\n╵\n╷\n│ Warning: w\n╵\nError: two\n"
    assert list(split_errors(boxed)) == ["Error: one\n\nbecause", "Error: two"]


def test_command_lines() -> None:
    command = Command("/bin/tf")
    assert command.plan(Path("/p"), PlanOptions([Path("/a"), Path("/b")], destroy=True, parallelism=3)) == [
        "/bin/tf",
        "plan",
        "-json",
        "-input=false",
        "-lock=false",
        "-detailed-exitcode",
        "-destroy",
        "-parallelism=3",
        "-var-file=/a",
        "-var-file=/b",
        "-out=/p",
    ]
    assert command.apply(Path("/p")) == [
        "/bin/tf",
        "apply",
        "-json",
        "-input=false",
        "-lock-timeout=30s",
        "/p",
    ]
    assert command.init({"key": "a b"}) == [
        "/bin/tf",
        "init",
        "-input=false",
        "-no-color",
        "-backend-config=key=a b",
    ]
    assert command.state_pull() == ["/bin/tf", "state", "pull"]
    with pytest.raises(AttributeError):
        command.aply()
    with pytest.raises(NotImplementedError):
        command.destroy()


def test_git_credentials_are_for_init_alone_and_for_one_host() -> None:
    environment = Environment({}, Path("/home"))
    place = WorkDir(Path("/x"), {}, "pr-1", GitAccess("https://git.example.com/", "user", "word"))
    assert not [key for key in environment.for_call(place) if key.startswith("GIT")]
    made = environment.for_init(place, {"TF_HTTP_PASSWORD": "p"})
    assert made["TF_HTTP_PASSWORD"] == "p"
    assert "TF_WORKSPACE" not in made
    count = int(made["GIT_CONFIG_COUNT"])
    settings = [(made[f"GIT_CONFIG_KEY_{n}"], made[f"GIT_CONFIG_VALUE_{n}"]) for n in range(count)]
    header = base64.b64encode(b"user:word").decode()
    assert settings == [
        ("http.https://git.example.com/.extraHeader", f"Authorization: Basic {header}"),
        ("url.https://git.example.com/.insteadOf", "git@git.example.com:"),
        ("url.https://git.example.com/.insteadOf", "ssh://git@git.example.com/"),
    ]


def test_the_sample_repository() -> None:
    files = sample.files()
    assert {"infra/main.tf", "infra/.terraform.lock.hcl", ".github/CODEOWNERS", "README.md"} <= set(files)
    policy = parse_policy(files["envs/environments.toml"].decode(), "envs/environments.toml")
    assert list(policy.environments) == ["dev", "ci", "test", "staging", "prod"]
    assert {f"envs/{name}.tfvars" for name in policy.environments} <= set(files)
    for name in sample.CHANGES:
        for path, content in sample.change(name).items():
            assert content != files[path]
