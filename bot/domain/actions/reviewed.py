"""The reviewed plans of a pull request, as its comment carries them: signed, and with digests instead of values.

Whoever can write comments can edit them, and whoever can read Actions can read its artifacts. So nothing is believed
without the signature, which covers repository, pull request, commit, tree and targets, and no value can be read or guessed
from a digest without the key.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from bot.domain.actions.signature import mac

LONGEST = 20_000
"""Characters that the plans may take in a comment; beyond that, addresses are left out and only digests travel."""
MOST = 4 << 20
"""Bytes that they may have once they are unpacked."""
_PURPOSE = "towpath: reviewed plans in GitHub Actions, 1"
_MARKER = re.compile(r"<!-- towpath-reviewed:([A-Za-z0-9+/=]+)\.([0-9a-f]{64}) -->")


@dataclass(frozen=True)
class ReviewedPlan:
    """A plan without its values. digest: of all changes. changes: address → digest of its change, empty if `abridged`."""

    digest: str
    changes: Mapping[str, str] = field(default_factory=dict)
    abridged: bool = False


@dataclass(frozen=True)
class ReviewedPlans:
    """What people could read in the comment of a pull request.

    commit: the one that was planned. tree: git's id of its files. shown_at: when, by GitHub's clock. targets: key of the
    target → its plan.
    """

    repository: str
    pull: int
    commit: str
    tree: str
    shown_at: datetime
    targets: Mapping[str, ReviewedPlan]


def reviewed_plan(changes: Mapping[str, str], key: str) -> ReviewedPlan:
    """Return what may be shown of planned changes. key: the secret key."""
    digests = {address: _mac(key, f"{address}\0{content}")[:24] for address, content in changes.items()}
    return ReviewedPlan(_mac(key, json.dumps(digests, sort_keys=True)), digests)


def signed(plans: ReviewedPlans, key: str) -> str:
    """Return an invisible line for the comment, at most LONGEST characters for any number of changes."""
    line = _line(plans, key)
    if len(line) <= LONGEST:
        return line
    short = {
        name: replace(plan, changes={}, abridged=bool(plan.changes)) for name, plan in plans.targets.items()
    }
    return _line(replace(plans, targets=short), key)


def read_reviewed(body: str, keys: Iterable[str]) -> tuple[ReviewedPlans, str] | None:
    """Return the plans in a comment and the key that signed them; None if nothing in it is signed with one of `keys`."""
    for key in keys:
        for content, signature in reversed(_MARKER.findall(body)):
            if hmac.compare_digest(_mac(key, content), signature):
                return _read(content), key
    return None


def _line(plans: ReviewedPlans, key: str) -> str:
    text = json.dumps({**asdict(plans), "shown_at": plans.shown_at.isoformat()}, sort_keys=True)
    content = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    return f"<!-- towpath-reviewed:{content}.{_mac(key, content)} -->"


def _read(content: str) -> ReviewedPlans:
    """Read what was signed: whoever has the key wrote it. Raises ValueError if it is of another version."""
    try:
        text = zlib.decompressobj().decompress(base64.b64decode(content), MOST)
        facts = json.loads(text)
        targets = {name: ReviewedPlan(**plan) for name, plan in facts.pop("targets").items()}
        return ReviewedPlans(
            **{**facts, "shown_at": datetime.fromisoformat(facts["shown_at"])}, targets=targets
        )
    except (binascii.Error, zlib.error, KeyError, TypeError) as error:
        raise ValueError(f"the reviewed plans cannot be read: {error}") from error


def _mac(key: str, text: str) -> str:
    return mac(key, _PURPOSE, text)
