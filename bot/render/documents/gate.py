"""What stands before a guarded environment for one pull request: each rule's answer, who approved, what comes next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from bot.domain.answers import Answer
from bot.domain.approval import Standing, wanted
from bot.domain.gates import command
from bot.domain.release import Release
from bot.domain.results import Status, TargetStatus
from bot.render.document import (
    Command,
    Document,
    Element,
    Facts,
    Heading,
    Items,
    Note,
    Person,
    Plain,
    Spans,
    Text,
    join,
    say,
    who,
)
from bot.render.words import BAD, ENDED, at, cut

Stand = Literal["clear", "applying", "broken", "barred"]
"""clear: nothing is left to do there. broken: applied, and its smoke checks failed. barred: something is to be done."""

NAMES = {
    "Promoted": "Promotion",
    "NotFrozen": "Freeze",
    "Approved": "Approval",
    "PullIsOpen": "Pull request",
    "NotClaimed": "Lock",
    "PlanWasRead": "Plan",
    "PlanIsCurrent": "Plan still good",
}
WORST: tuple[Stand, ...] = ("applying", "broken", "barred", "clear")
"""Of several stacks in one environment the first of these counts."""
_CODE = re.compile(r"[a-z][a-z-]*: ")


def stands(row: TargetStatus, head: str) -> Stand:
    """How a target stands for the commit `head` of its pull request."""
    if any(
        run is not None and run.active and run.kind == "apply" and run.pull == row.pull
        for run in (row.busy, row.run)
    ):
        return "applying"
    plan = row.plan
    if plan is None or plan.commit != head or row.undone:
        return "barred"
    if plan.status == "applied":
        words: dict[str, Stand] = {"failed": "broken", "running": "applying"}
        release = _left(row)
        return words.get(release.verification, "clear") if release else "clear"
    waits = (row.run is not None and row.run.active) or (
        row.consent is not None and row.consent.approval.live
    )
    nothing = plan.status == "fresh" and not plan.has_changes and not row.stale
    return "clear" if nothing and not waits else "barred"


def worst(rows: Sequence[TargetStatus], head: str) -> Stand:
    """How an environment stands whose targets are `rows`."""
    standings = [stands(row, head) for row in rows]
    return min(standings, key=WORST.index) if standings else "clear"


def gate(environment: str, rows: Sequence[TargetStatus], status: Status) -> Document:
    """Its title is the check's title. rows: the environment's own of `status`."""
    head = status.pull.head_sha if status.pull else ""
    if not rows:
        said = "No stack of this environment is touched." if status.targets else "Nothing is to be applied."
        notes = tuple(Note(say(note)) for note in status.notes)
        return Document(f"{environment}: nothing to do", (Text((Plain(said),)), *notes), "good")
    first = next(row for row in rows if stands(row, head) == worst(rows, head))
    body: list[Element] = []
    for row in rows:
        if len(rows) > 1:
            body.append(Heading((Plain(str(row.target)),)))
        body += _row(row, head, status)
    body += [Note(say(note)) for note in status.notes]
    return Document(f"{first.target}: {_flat(_reason(first, head))}", tuple(body))


def _row(row: TargetStatus, head: str, status: Status) -> list[Element]:
    body: list[Element] = [Text(_reason(row, head))]
    if row.gates and stands(row, head) != "clear":
        body.append(Items(tuple(_answer(one) for one in row.gates), "rules"))
    facts = (
        ("Approved by", _approved(row.consent)),
        ("Waits for", _missing(row.consent)),
        ("Freeze", _freeze(row)),
        ("Break-glass", _follow_ups(row)),
        ("Next", _next(row, head, status)),
    )
    if shown := tuple(fact for fact in facts if fact[1]):
        body.append(Facts(shown))
    return body


def _reason(row: TargetStatus, head: str) -> Spans:
    """Why it may not go yet, or what has been done."""
    stand, run, release = stands(row, head), row.run, _left(row)
    if stand == "applying":
        checking = release is not None and release.verification == "running"
        verifying = checking or (row.busy is not None and row.busy.phase == "verifying")
        return (Plain("smoke checks are running" if verifying else "applying"),)
    if stand == "broken":
        failed = (
            next((str(one.get("name", "")) for one in release.checks if not one.get("ok")), "")
            if release
            else ""
        )
        return (
            Plain(f"applied, but smoke check {failed} failed" if failed else "applied, but not verified"),
        )
    if stand == "clear":
        return (Plain("applied" if row.plan and row.plan.status == "applied" else "no changes"),)
    if row.undone or (row.plan is not None and row.plan.reverts and row.plan.status == "applied"):
        return (Plain("reverted: what this pull request changed does not stand there"),)
    if row.blocked is not None:
        return say(row.blocked.fact)
    if run is not None and not run.active and run.commit == head and run.outcome in BAD:
        return (Plain(f"the {run.word} {ENDED[run.outcome or 'failed']}"),)
    if row.plan is None or row.plan.commit != head:
        return (Plain(f"not applied yet: there is no plan of {head[:7]}"),)
    return say(row.stale) if row.stale else (Plain("not applied yet"),)


def _answer(one: Answer) -> Spans:
    ground = one.ground if one.passed else _CODE.sub("", one.ground, count=1)
    name = NAMES.get(one.gate, one.gate)
    return (Plain(f"{'✅' if one.passed else '❌'} {name}{': ' if ground else ''}"), *say(ground))


def _approved(consent: Standing | None) -> Spans:
    if consent is None:
        return ()
    given = [(Person(one.login), Plain(f" ({one.via}, {at(one.at)})")) for one in consent.approved]
    void = [(Person(one.login), Plain(" (may not any more)")) for one in consent.void]
    return join([*given, *void], ", ")


def _missing(consent: Standing | None) -> Spans:
    if consent is None:
        return ()
    if not consent.approval.live:
        return say(cut(consent.approval.why)) if consent.approval.status != "used" else ()
    until = Plain(f", until {at(consent.approval.expires_at)}")
    complete = consent.missing.complete
    return () if complete else (*say(wanted(consent.approval, consent.missing)), until)


def _freeze(row: TargetStatus) -> Spans:
    if row.frozen is not None:
        until = f"until {at(row.frozen.until)}" if row.frozen.until else "with no end in sight"
        return (Plain(f"🧊 {until} ({cut(row.frozen.reason)})"),)
    if row.coming is not None and row.coming.until is not None:
        return (Plain(f"begins {at(row.coming.until)} ({cut(row.coming.reason)})"),)
    return ()


def _follow_ups(row: TargetStatus) -> Spans:
    return join(
        [
            (
                Plain("⚠️ by "),
                who(one.actor),
                Plain(f" ({cut(one.reason)}), which nobody has acknowledged: "),
                Command(command("acknowledge", row.target)),
            )
            for one in row.follow_ups
        ]
    )


def _next(row: TargetStatus, head: str, status: Status) -> Spans:
    if stands(row, head) != "barred" or row.over:
        return ()
    if row.blocked is not None and row.blocked.next_step:
        return say(row.blocked.next_step)
    if row.next_step:
        return (Command(row.next_step),)
    running = row.run is not None and row.run.active
    fork = status.pull is not None and status.pull.from_fork
    locked = row.lock is not None and not row.lock.admits(row.pull)
    refused = running or fork or locked or row.hold is not None
    return () if refused else (Command(command("apply", row.target)),)


def _left(row: TargetStatus) -> Release | None:
    """The release that this very plan has left."""
    release = row.release
    same = release is not None and row.plan is not None and release.plan_digest == row.plan.digest
    return release if same else None


def _flat(spans: Spans) -> str:
    """Spans in a plain line."""
    return "".join(f"@{span.login}" if isinstance(span, Person) else span.text for span in spans)
