"""Compare the recorded state with the backend and with a laptop, one sentence per comparison."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bot.domain.plans import read_json
from bot.domain.states.model import StateInfo
from bot.domain.target import Target


@dataclass(frozen=True)
class Finding:
    """One comparison. what: a stable name, such as `serial of the backend`; said: the sentence."""

    what: str
    ok: bool
    said: str


def same_state(where: str, data: bytes | None, recorded: bytes | None) -> Iterator[Finding]:
    """Compare a state with the recorded one: serial, lineage, digest, number of resources. where: such as `the backend`."""
    if data is None or recorded is None:
        lacks, has = (where, "the record does") if data is None else ("the record", f"{where} does")
        same = data is recorded
        said = f"Neither {where} nor the record has a state." if same else f"{lacks} has no state, but {has}."
        yield Finding(f"state of {where}", same, said[0].upper() + said[1:])
        return
    try:
        there = StateInfo.parse(data)
    except ValueError as error:
        yield Finding(f"state of {where}", ok=False, said=f"The state of {where} cannot be read: {error}.")
        return
    ours = StateInfo.parse(recorded)
    for name, mine, theirs in (
        ("serial", ours.serial, there.serial),
        ("lineage", ours.lineage, there.lineage),
        ("number of resources", ours.resources, there.resources),
    ):
        yield _equal(f"{name} of {where}", name, where, mine, theirs)
    if ours.sha256 != there.sha256 and read_json(data) == read_json(recorded):
        said = f"{where} matches the record in content, but is formatted differently (digest {there.sha256[:12]})."
        said = said[0].upper() + said[1:]
        yield Finding(f"digest of {where}", ok=True, said=said)
        return
    yield _equal(f"digest of {where}", "digest", where, ours.sha256[:12], there.sha256[:12])


def same_place(
    target: Target, backend: Mapping[str, Any] | None, found: Mapping[str, Any]
) -> Iterator[Finding]:
    """Compare where a directory keeps its state with where the target's state belongs.

    backend: `kind` and `config` as the latest plan verified them, or None. found: `backend` of the directory's
    `.terraform/terraform.tfstate`, and its `workspace`.
    """
    kind, config = str(found.get("type", "")), found.get("config") or {}
    expected = dict(backend["config"]) if backend else {}
    where = "the directory"
    yield _equal("kind of backend", "kind of backend", where, backend["kind"] if backend else "http", kind)
    if kind == "http":
        path = "/state/" + target.key.replace(":", "/")
        there = urlsplit(str(config.get("address", ""))).path
        yield _equal("address", "address", where, path, there[there.find("/state/") :])
    elif kind == "s3":
        for name in ("bucket", "key"):
            yield _equal(name, name, where, expected.get(name, ""), config.get(name))
        if "endpoints" in expected:
            given = (config.get("endpoints") or {}).get("s3") or config.get("endpoint")
            yield _equal("endpoint", "endpoint", where, json.loads(expected["endpoints"])["s3"], given)
        workspace = found.get("workspace") or "default"
        yield _equal("workspace", "workspace", where, target.instance or "default", workspace)


def _equal(what: str, name: str, where: str, ours: object, theirs: object) -> Finding:
    if ours == theirs:
        return Finding(what, ok=True, said=f"The {name} of {where} matches: {ours}.")
    return Finding(
        what, ok=False, said=f"The {name} of {where} is {theirs or 'not set'}; the record has {ours}."
    )
