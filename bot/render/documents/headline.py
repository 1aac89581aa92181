"""A pull request's environments in one sentence, what matters most first."""

from __future__ import annotations

from bot.domain.chat import Status, TargetStatus
from bot.domain.gates import NEEDS_APPROVAL
from bot.render.document import Bold, Plain, Spans, Tone
from bot.render.documents.target_state import TargetState, current_run, is_revert, target_state
from bot.render.format import OUTCOMES, join_names

_ORDER: tuple[TargetState, ...] = (
    "running",
    "failed",
    "stuck",
    "unverified",
    "ready",
    "waiting",
    "locked",
    "held",
    "stale",
    "unplanned",
    "differs",
    "merged",
    "in_sync",
    "applied",
    "reverted",
    "verified",
    "unchanged",
    "destroyed",
    "idle",
    "over",
)
_PREDICATES: dict[TargetState, tuple[str, str]] = {
    "ready": (" is ready to apply", " are ready to apply"),
    "held": (" is on hold", " are on hold"),
    "stale": (" needs a new plan", " need a new plan"),
    "unplanned": (" has no plan yet", " have no plan yet"),
    "applied": (" is applied", " are applied"),
    "reverted": (" is reverted", " are reverted"),
    "verified": (" is verified", " are verified"),
    "unverified": (" failed its smoke checks", " failed their smoke checks"),
    "destroyed": (" is destroyed", " are destroyed"),
    "stuck": (" could not be destroyed", " could not be destroyed"),
    "unchanged": (" has no changes", " have no changes"),
    "idle": (" is idle", " are idle"),
    "over": (" was not applied", " were not applied"),
    "in_sync": (" is in sync with {branch}", " are in sync with {branch}"),
    "differs": (" differs from {branch}", " differ from {branch}"),
    "merged": (" waits for {branch}", " wait for {branch}"),
}
_REVERT_PREDICATES: dict[TargetState, tuple[str, str]] = {
    "ready": (" is ready to revert", " are ready to revert"),
    "stale": (" needs a new plan to revert", " need a new plan to revert"),
    "unchanged": (" has nothing to revert", " have nothing to revert"),
    "over": (" was not reverted", " were not reverted"),
}
"""Used instead if the plan is a revert's."""
_TONES: dict[TargetState, Tone] = {
    "failed": "bad",
    "stuck": "bad",
    "unverified": "bad",
    "ready": "good",
    "applied": "good",
    "verified": "good",
    "unchanged": "good",
    "in_sync": "good",
}


def headline(status: Status) -> tuple[Spans, str, Tone]:
    """Return the sentence as spans and as text, and its tone: `**Staging is ready to apply** · prod is locked by #9`."""
    states = [(target_state(row), row) for row in status.targets]
    groups: dict[tuple[TargetState, tuple[str, str]], list[str]] = {}
    for state, row in sorted(states, key=lambda one: (_ORDER.index(one[0]), is_revert(one[1]))):
        groups.setdefault((state, _predicate(state, row)), []).append(str(row.target))
    if not groups:
        text = "Not read" if status.unread else "No environments affected"
        return (Bold(text),), text, "plain"
    branch = status.pull.base_ref if status.pull else ""
    clauses = [
        join_names(names) + forms[len(names) > 1].replace("{branch}", branch)
        for (_, forms), names in groups.items()
    ]
    first = clauses[0][0].upper() + clauses[0][1:]
    others = "".join(f" · {clause}" for clause in clauses[1:4])
    state = next(iter(groups))[0]
    return (Bold(first), Plain(others)), first + others, _TONES.get(state, "plain")


def _predicate(state: TargetState, row: TargetStatus) -> tuple[str, str]:
    """Return what is said of one target, and of several."""
    run = current_run(row)
    if state == "running" and run is not None:
        return f": {run.word} running", f": {run.word} running"
    if state == "failed" and row.sync is not None:
        what = "not verified" if row.sync.status == "unverified" else "not applied"
        return f": {{branch}} was {what}", f": {{branch}} was {what}"
    if state == "failed" and row.run is not None:
        outcome = f": {row.run.word} {OUTCOMES[row.run.outcome or 'failed']}"
        return outcome, outcome
    if state == "locked" and row.lock is not None:
        return f" is locked by {row.lock.owner}", f" are locked by {row.lock.owner}"
    if state == "waiting":
        return _waiting(row)
    if state in _REVERT_PREDICATES and is_revert(row):
        return _REVERT_PREDICATES[state]
    return _PREDICATES[state]


def _waiting(row: TargetStatus) -> tuple[str, str]:
    if row.first is not None:
        return f" comes after {row.first}", f" come after {row.first}"
    if row.applies_itself:
        return " is waiting to be applied", " are waiting to be applied"
    code = row.blocked.code if row.blocked else ""
    if code == "frozen":
        return " is frozen", " are frozen"
    if code == "soaking":
        return " is soaking", " are soaking"
    if code == "rejected":
        return " was rejected", " were rejected"
    if code in NEEDS_APPROVAL or not row.environment.promote_from:
        revert = " to revert" if is_revert(row) else ""
        return f" is waiting for approval{revert}", f" are waiting for approval{revert}"
    source = row.environment.promote_from
    return f" is waiting for {source}", f" are waiting for {source}"
