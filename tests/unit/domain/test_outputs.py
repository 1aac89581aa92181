"""Outputs of a state, and texts that name them."""

from __future__ import annotations

import json

import pytest

from bot.domain.states.outputs import Output, Unfilled, fill_outputs, outputs_of, sensitive_texts, url_of
from bot.domain.target import Target

TEST = Target("acme/infra", "network", "test", "pr-7")
OUTPUTS = {
    "url": Output("https://www.example.com"),
    "port": Output(5432),
    "hosts": Output(["a", "b"]),
    "odd": Output("{output.port} {env}"),
    "password": Output("hunter2-hunter2", sensitive=True),
    "keys": Output({"one": ["key-number-1"], "two": 3}, sensitive=True),
}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{output.url}/healthz", "https://www.example.com/healthz"),
        ("db:{output.port}", "db:5432"),
        ("{output.hosts}", '["a", "b"]'),
        ("{env} {stack} {instance} {pr} {url}", "test network pr-7 7 https://seven"),
        ("{output.odd}", "{output.port} {env}"),
        ("jsonpath={.items[*].status} ${HOME} {} {other}", "jsonpath={.items[*].status} ${HOME} {} {other}"),
    ],
)
def test_placeholders_are_filled_in_once(text: str, filled: str) -> None:
    assert fill_outputs(text, TEST, 7, OUTPUTS, "https://seven") == filled


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{output.missing}/x", "there is no output `missing`"),
        ("{output.url.deep}", "there is no output `url.deep`"),
        ("{output.password}", "output `password` is sensitive"),
        ("{url}", "the environment has no `url`"),
    ],
)
def test_what_cannot_be_filled_in_is_told(text: str, why: str) -> None:
    with pytest.raises(Unfilled) as told:
        fill_outputs(text, TEST, 7, OUTPUTS)
    assert why in str(told.value)
    assert "hunter2" not in str(told.value)


def test_an_environments_address() -> None:
    assert url_of("https://pr-{pr}.example.com", TEST, 7, {}) == "https://pr-7.example.com"
    assert url_of("{output.url}", TEST, 7, OUTPUTS) == "https://www.example.com"
    for pattern in ("", "{output.missing}", "{output.password}", "{output.port}"):
        assert url_of(pattern, TEST, 7, OUTPUTS) == ""
    for hostile in ("javascript:alert(1)", "https://a b", "https://a|b>", "https://a\nb"):
        assert url_of("{output.url}", TEST, 7, {"url": Output(hostile)}) == ""


def test_outputs_of_a_state() -> None:
    state = {
        "version": 4,
        "serial": 1,
        "lineage": "l",
        "outputs": {
            "url": {"value": "https://x", "type": "string"},
            "password": {"value": "hunter2", "type": "string", "sensitive": True},
            "nothing": {"value": None, "type": "string"},
        },
    }
    assert outputs_of(json.dumps(state).encode()) == {
        "url": Output("https://x"),
        "password": Output("hunter2", sensitive=True),
    }
    assert outputs_of(None) == {}
    assert outputs_of(b'{"serial": 1, "lineage": "l"}') == {}
    assert outputs_of(b'{"serial": 1, "lineage": "l", "encrypted_data": "x"}') is None


def test_what_is_hidden() -> None:
    assert set(sensitive_texts(OUTPUTS)) >= {"hunter2-hunter2", "key-number-1"}
    assert "https://www.example.com" not in sensitive_texts(OUTPUTS)
