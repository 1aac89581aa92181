"""Compare the recorded state with the backend and with a laptop, one sentence per comparison."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from bot.domain.plans import read_json
from bot.domain.states.model import StateInfo
from bot.domain.states.place import StatePlace


@dataclass(frozen=True)
class Finding:
    """One comparison. what: a stable name, such as `serial of the backend`; said: the sentence. next_step: the command that
    helps if it failed, "" if there is none."""

    what: str
    ok: bool
    said: str
    next_step: str = ""


def same_state(where: str, data: bytes | None, recorded: bytes | None) -> Iterator[Finding]:
    """Compare a state with the recorded one: serial, lineage, digest, number of resources. where: such as `the backend`."""
    if data is None or recorded is None:
        yield _existence(where, data is not None, recorded is not None, "the record")
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


def same_place(expected: StatePlace, found: StatePlace) -> Iterator[Finding]:
    """Compare where a directory keeps its state with where the target's state belongs. Two places of one object may differ
    in key and workspace, as `ci/terraform.tfstate` in `pr-1` and `env:/pr-1/ci/terraform.tfstate` in no workspace do."""
    pairs = [("kind of backend", expected.kind, found.kind)]
    if found.kind == "http":
        pairs.append(("address", _path(expected.address), _path(found.address)))
    elif found.kind == "s3":
        pairs.append(("bucket", expected.bucket, found.bucket))
        pairs.append(("endpoint", expected.endpoint or "of AWS", found.endpoint or "of AWS"))
    if found.kind == "s3" and expected.object != found.object:
        pairs.append(("key", expected.key, found.key))
        pairs.append(("workspace", expected.workspace, found.workspace))
        pairs.append(("workspace_key_prefix", expected.prefix, found.prefix))
    for name, ours, theirs in pairs:
        finding = _equal(name, name, "the directory", ours, theirs, "the target's is")
        yield finding if finding.ok else replace(finding, next_step=expected.next_step)
    if found.kind == "s3" and expected.object == found.object:
        yield Finding("key", ok=True, said=f"The object of the directory is the same: {found.object}.")


def same_version(where: str, expected: StateInfo | None, found: StateInfo | None) -> Iterator[Finding]:
    """Compare a state with what the bot reads, as far as serial, lineage and number of resources tell.

    where: such as `the directory`.
    """
    if expected is None or found is None:
        yield _existence(where, found is not None, expected is not None, "Towpath")
        return
    for name, mine, theirs in (
        ("serial", expected.serial, found.serial),
        ("lineage", expected.lineage, found.lineage),
        ("number of resources", expected.resources, found.resources),
    ):
        yield _equal(f"{name} of {where}", name, where, mine, theirs, "Towpath reads")


def _existence(where: str, there: bool, ours: bool, owner: str) -> Finding:
    if there == ours:
        said = f"Neither {where} nor {owner} has a state."
    else:
        said = (
            f"{where} has a state, but {owner} does not."
            if there
            else f"{where} has no state, but {owner} does."
        )
    return Finding(f"state of {where}", there == ours, said[0].upper() + said[1:])


def _path(address: str) -> str:
    """The part of the built-in backend's address that names the target: a bot may have several names."""
    path = urlsplit(address).path
    return path[max(0, path.find("/state/")) :]


def _equal(
    what: str, name: str, where: str, ours: object, theirs: object, owner: str = "the record has"
) -> Finding:
    if ours == theirs:
        return Finding(what, ok=True, said=f"The {name} of {where} matches: {ours}.")
    return Finding(what, ok=False, said=f"The {name} of {where} is {theirs or 'not set'}; {owner} {ours}.")
