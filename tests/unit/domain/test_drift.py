"""What counts as drift, what is news, and when a look is due."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.drift.model import CLEAN, Drift, drift_check_due, measure
from bot.domain.policy.loader import PolicyError, parse_policy
from bot.domain.target import Target

STAGING = Target("acme/infra", "infra", "staging")
NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def plan(*changes: dict[str, Any], drift: tuple[dict[str, Any], ...] = (), **outputs: Any) -> dict[str, Any]:
    return {
        "resource_changes": list(changes),
        "resource_drift": list(drift),
        "output_changes": outputs,
    }


def change(*actions: str, before: str = "s", after: str = "m", secret: bool = False) -> dict[str, Any]:
    values = {"before": {"size": before}, "after": {"size": after}}
    hidden = {"before_sensitive": {"size": secret}, "after_sensitive": {"size": secret}}
    said = {"actions": list(actions), "after_unknown": {}, **values, **hidden}
    return {"address": "thing.web", "type": "thing", "change": said}


def resized(size: str, by: str = "m") -> tuple[dict[str, Any], dict[str, Any]]:
    """Both plans after somebody has changed the size from `by`."""
    seen = (change("update", before=by, after=size),)
    return plan(drift=seen), plan(change("update", before=size, after=by), drift=seen)


def found(digest: str, release: str = "e1") -> Drift:
    return Drift("x", STAGING, "r", "c", release, NOW, digest, 1, 0, {"outputs": [{"path": digest}]})


def test_what_is_counted() -> None:
    output = {"actions": ["update"], "before": "a", "after": "b", "after_unknown": False}
    full = plan(change("update"), change("read"), ip=output)
    one = measure(plan(drift=(change("update"), change("delete"))), full)
    assert (one.outside, one.pending) == (2, 2)
    assert [entry["action"] for entry in one.summary["drift"]] == ["update", "delete"]


def test_nothing_is_nothing() -> None:
    """Reading data when it is applied is no change, and neither is another Terraform."""
    one = measure(plan(change("no-op")), plan(change("read"), change("no-op")) | {"terraform_version": "1.9"})
    assert (one.digest, one.outside, one.pending) == (CLEAN, 0, 0)


def test_the_digest_tells_what_was_found() -> None:
    first = measure(*resized("l"))
    refreshed, planned = resized("l")
    assert first.digest == measure(refreshed, plan(*planned["resource_changes"], change("read"))).digest
    assert first.digest != measure(*resized("xl")).digest
    assert first.digest != measure(plan(), planned).digest


def look(
    refreshed: dict[str, Any], planned: dict[str, Any], before: Drift | None = None
) -> tuple[bool, Drift]:
    """Whether what a look found is news after `before`, and how it would be kept."""
    one = measure(refreshed, planned)
    drift = Drift("x", STAGING, "r", "c", "e1", NOW, one.digest, one.outside, one.pending, one.summary)
    kept = json.loads(json.dumps(drift.after(before).summary))
    return not drift.repeats(before), replace(drift, summary=kept)


def at(moment: str) -> dict[str, Any]:
    return plan(change("update", before="never", after=moment))


def test_what_is_pending_counts_by_what_would_change() -> None:
    """A clock gives each plan another value; another thing that would change is news."""
    news, first = look(plan(), at("10:00"))
    assert news
    assert not look(plan(), at("10:05"), first)[0]
    unknown = change("update") | {"change": change("update")["change"] | {"after_unknown": {"size": True}}}
    assert not look(plan(), plan(unknown), first)[0]
    other = at("10:05") | {"output_changes": {"ip": {"actions": ["update"], "before": "a", "after": "b"}}}
    assert look(plan(), other, first)[0]
    assert look(plan(), plan(change("delete", "create", before="never")), first)[0]


def test_what_changes_while_it_is_looked_at_is_no_news() -> None:

    def looked(one: str, other: str, before: Drift | None = None) -> tuple[bool, Drift]:
        return look(resized(one, "never")[0], resized(other, "never")[1], before)

    news, first = looked("10:00:00", "10:00:03")
    assert news
    assert not looked("10:05:00", "10:05:02", first)[0]
    assert not looked("10:05:00", "10:05:00", first)[0]


def test_what_changes_from_look_to_look_is_told_once_more() -> None:
    """The first change may be somebody's. As long as the rest of the finding stays, it is known to waver."""

    def now(moment: str, before: Drift | None = None) -> tuple[bool, Drift]:
        return look(*resized(moment, "never"), before)

    _news, first = now("10:00")
    news, second = now("10:05", first)
    assert news
    assert not now("10:10", second)[0]
    assert not now("10:15", second)[0]

    def with_gone(moment: str, before: Drift) -> tuple[bool, Drift]:
        refreshed, planned = resized(moment, "never")
        gone, anew = (change(action) | {"address": "thing.gone"} for action in ("delete", "create"))
        gone["change"] |= {"after": None}
        refreshed["resource_drift"].append(gone)
        planned["resource_changes"].append(anew)
        return look(refreshed, planned, before)

    news, third = with_gone("10:20", second)
    assert news, "something else besides"
    assert with_gone("10:25", third)[0]
    assert second.summary["wavering"] == ["thing.web size"]
    assert not replace(second, release_id="e2").repeats(second), "an apply has not mended it"


def test_no_secret_is_kept() -> None:
    secret = change("update", before="hunter1", after="hunter2", secret=True)
    assert "hunter" not in str(measure(plan(drift=(secret,)), plan(secret)))


@pytest.mark.parametrize(
    ("before", "now", "repeats"),
    [
        (None, found(CLEAN), True),
        (None, found("a"), False),
        (found("a"), found("a"), True),
        (found("a"), found("b"), False),
        (found("a"), found(CLEAN), False),
        (found(CLEAN), found(CLEAN, "e2"), True),
        (found(CLEAN), found("a"), False),
        (found("a"), found("a", "e2"), False),  # an apply has not mended it
    ],
)
def test_what_is_news(before: Drift | None, now: Drift, *, repeats: bool) -> None:
    assert now.repeats(before) is repeats


def test_each_target_has_its_moment() -> None:
    """The same for every clock; one in each round; and they are spread over it."""
    every = timedelta(hours=6)
    since = drift_check_due(STAGING.key, every, NOW)
    assert NOW - every < since <= NOW
    assert drift_check_due(STAGING.key, every, since) == since
    assert drift_check_due(STAGING.key, every, since - timedelta(seconds=1)) == since - every
    assert drift_check_due(STAGING.key, every, since + every) == since + every
    hours = Counter(
        (NOW - drift_check_due(f"acme/infra:{n}", every, NOW)) // timedelta(hours=1) for n in range(600)
    )
    assert set(hours) == set(range(6))
    assert min(hours.values()) > 60


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ('drift = "4m"', "at least 5 minutes"),
        ('drift = "0s"', "at least 5 minutes"),
        ('drift = "often"', "must be a duration"),
        ('drift = "6h"\ninstance = "pr-{pr}"', "scheduled drift checks do not cover instances"),
    ],
)
def test_a_schedule_that_cannot_be(rules: str, problem: str) -> None:
    with pytest.raises(PolicyError, match=problem):
        parse_policy(f'[stack.infra]\nroot = "infra"\n[env.staging]\n{rules}\n', "policy")


def test_a_schedule() -> None:
    policy = parse_policy(
        '[stack.infra]\nroot = "infra"\n[env.staging]\ndrift = "6h"\n[env.prod]\n', "policy"
    )
    assert policy.environments["staging"].drift == timedelta(hours=6)
    assert policy.environments["prod"].drift is None
