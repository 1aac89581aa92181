"""Signed and hostile: whoever knows the secret may still send nonsense."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.github.webhook import sign
from bot.intake import github
from bot.intake.github import GitHubIntake
from bot.storage.inbox import DeliveryRows
from tests.unit.services.webhooks import PAYLOADS, headers

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _replaced(value: Any, path: list[int], by: Any) -> Any:
    """`value` with what stands at `path` (indices of keys, level by level) put in the place of `by`."""
    if not path or not isinstance(value, dict) or not value:
        return by
    key = sorted(value)[path[0] % len(value)]
    return value | {key: _replaced(value[key], path[1:], by)}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    event=st.sampled_from(sorted(PAYLOADS)), path=st.lists(st.integers(0, 9), min_size=1, max_size=4), by=JSON
)
def test_a_signed_and_hostile_payload_is_kept_or_refused(
    intake: GitHubIntake, inbox: DeliveryRows, event: str, path: list[int], by: Any
) -> None:
    body = json.dumps(_replaced(PAYLOADS[event], path, by)).encode()
    status, _text = intake.receive(headers(body, event, x_github_delivery=sign("", body)[:60]), body)
    assert status in (202, 400)
    for delivery in inbox.pending(200):
        github.parse_requests(delivery, lambda: "towpath[bot]")
    inbox.dispatched([one.id for one in inbox.pending(200)])


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    body=st.binary(max_size=60),
    event=st.text(max_size=20),
    kind=st.text(max_size=20),
    delivery=st.text(max_size=9),
)
def test_whatever_is_signed_gets_an_answer(
    intake: GitHubIntake, body: bytes, event: str, kind: str, delivery: str
) -> None:
    status, _text = intake.receive(headers(body, event, content_type=kind, x_github_delivery=delivery), body)
    assert status in (200, 202, 400)
