"""Whether the record, the backend and a laptop mean the same state: one sentence for each thing that is compared."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bot.domain import json_text
from bot.domain.state import StateInfo
from bot.domain.target import Target


@dataclass(frozen=True)
class Finding:
    """One comparison. `what`: `serial of the backend`, such a name stays the same; `said`: the sentence."""

    what: str
    ok: bool
    said: str


def same_state(where: str, data: bytes | None, recorded: bytes | None) -> Iterator[Finding]:
    """Compare a state with the recorded one: serial, lineage, digest, number of resources. where: `the backend`."""
    if data is None or recorded is None:
        lacks, has = (where, "the record has one") if data is None else ("the record", f"{where} has one")
        same = data is recorded
        said = f"Neither {where} nor the record has a state." if same else f"{lacks} has no state, and {has}."
        yield Finding(f"state of {where}", same, said[0].upper() + said[1:])
        return
    try:
        there = StateInfo.parse(data)
    except ValueError as error:
        yield Finding(f"state of {where}", ok=False, said=f"What {where} has is {error}.")
        return
    ours = StateInfo.parse(recorded)
    for name, mine, theirs in (
        ("serial", ours.serial, there.serial),
        ("lineage", ours.lineage, there.lineage),
        ("number of resources", ours.resources, there.resources),
    ):
        yield _equal(f"{name} of {where}", name, where, mine, theirs)
    if ours.sha256 != there.sha256 and json_text.read(data) == json_text.read(recorded):
        said = f"The content of {where} is the record's, though it is written otherwise (digest {there.sha256[:12]})."
        yield Finding(f"digest of {where}", ok=True, said=said)
        return
    yield _equal(f"digest of {where}", "digest", where, ours.sha256[:12], there.sha256[:12])


def same_place(
    target: Target, backend: Mapping[str, Any] | None, found: Mapping[str, Any]
) -> Iterator[Finding]:
    """Compare where a directory's state is (`backend` of its `.terraform/terraform.tfstate`, and `workspace`) with
    where the target's should be: `kind` and `config`, as the newest plan has proven it, or None."""
    kind, config = str(found.get("type", "")), found.get("config") or {}
    wanted = dict(backend["config"]) if backend else {}
    where = "the directory"
    yield _equal("kind of backend", "kind of backend", where, backend["kind"] if backend else "http", kind)
    if kind == "http":
        path = "/state/" + target.key.replace(":", "/")
        there = urlsplit(str(config.get("address", ""))).path
        yield _equal("address", "address", where, path, there[there.find("/state/") :])
    elif kind == "s3":
        for name in ("bucket", "key"):
            yield _equal(name, name, where, wanted.get(name, ""), config.get(name))
        if "endpoints" in wanted:
            given = (config.get("endpoints") or {}).get("s3") or config.get("endpoint")
            yield _equal("endpoint", "endpoint", where, json.loads(wanted["endpoints"])["s3"], given)
        workspace = found.get("workspace") or "default"
        yield _equal("workspace", "workspace", where, target.instance or "default", workspace)


def _equal(what: str, name: str, where: str, ours: object, theirs: object) -> Finding:
    if ours == theirs:
        return Finding(what, ok=True, said=f"The {name} of {where} is the record's: {ours}.")
    return Finding(
        what, ok=False, said=f"The {name} of {where} is {theirs or 'not set'}, the record's is {ours}."
    )
