"""The one message that a pull request has in Slack."""

from __future__ import annotations

from bot.domain.gates import command
from bot.domain.results import Status, TargetStatus
from bot.render.document import (
    Actions,
    Button,
    Document,
    Element,
    Heading,
    Link,
    Note,
    Plain,
    Table,
    Text,
    join,
    say,
)
from bot.render.documents import rows
from bot.render.documents.headline import headline
from bot.render.documents.plan import summary_of
from bot.render.standing import at_work, standing
from bot.render.words import cut

MOST = 12
"""Environments that get a section with buttons each; more are listed."""


def card(status: Status) -> Document:
    """Raises ValueError for a status that is about no pull request."""
    pull = status.pull
    if pull is None:
        raise ValueError("a card belongs to a pull request")
    said, text, tone = headline(status)
    body: list[Element] = [
        Heading((Plain(f"#{pull.number} {cut(pull.title)}"),)),
        Note(
            (
                Link(f"{pull.repository}#{pull.number}", pull.url),
                Plain(f" by @{pull.author}" + (f" · {pull.state}" if pull.state != "open" else "")),
            )
        ),
        Text(said),
    ]
    for row in status.targets[:MOST]:
        body.append(
            Text(join([rows.name(row), rows.plan(row), rows.planned(row, status), rows.state(row, status)]))
        )
        if buttons := _buttons(row, status):
            body.append(Actions(buttons))
    if left := status.targets[MOST:]:
        lines = tuple((rows.name(row), rows.plan(row), rows.state(row, status)) for row in left)
        body.append(Table(("Environment", "Plan", "State"), lines, "environments"))
    body += [Note(say(note.replace("\n", " "))) for note in status.notes]
    general = (Button("Open pull request", url=pull.url),)
    planned = pull.state == "open" and any(row.environment.on_pull_request for row in status.targets)
    body.append(Actions((Button("Plan", "plan"), *general) if planned else general))
    return Document(f"#{pull.number} {cut(pull.title)}: {text}", tuple(body), tone)


def _buttons(row: TargetStatus, status: Status) -> tuple[Button, ...]:
    run = at_work(row)
    newest = run or row.run
    log = (status.links or {}).get(newest.id, "") if newest else ""
    buttons: list[Button] = _onward(row)
    if run is not None and run.pull == row.pull and not run.cancel_by:
        buttons.append(
            _spoken(
                "Cancel", "cancel", row, "Terraform is asked to stop. What it has begun may stay half done."
            )
        )
    elif run is None and row.lock is not None and row.lock.pull in (0, row.pull):
        buttons.append(_spoken("Unlock", "unlock", row, "Others may apply here then."))
    if log:
        buttons.append(Button("Log", url=log))
    return tuple(buttons)


def _onward(row: TargetStatus) -> list[Button]:
    """The row's next step, where a click is enough for it: what must be typed, or somebody else's word, has none."""
    step, word = row.next_step[1:], row.next_step[1:].partition(" ")[0]
    if word in ("apply", "revert") and standing(row) in ("ready", "waiting") and "--" not in step:
        label = f"{word.capitalize()} {row.target}"
        return [Button(label, step, style="primary", confirm=_question(row, word.capitalize()))]
    if word == "plan":
        return [Button(f"Plan {row.target}", step)]
    if word == "unhold" and row.hold is not None:
        question = f"{row.hold.reverted[:7]} may be applied there again then."
        return [_spoken("Unhold", "unhold", row, question)]
    if word == "push-state" and row.unsaved is not None:
        question = f"The state that the apply of #{row.unsaved.pull} left is written there."
        return [_spoken("Push state of", "push-state", row, question)]
    return []


def _spoken(label: str, word: str, row: TargetStatus, question: str) -> Button:
    return Button(f"{label} {row.target}", command(word, row.target)[1:], style="danger", confirm=question)


def _question(row: TargetStatus, verb: str) -> str:
    summary = summary_of(row.plan)
    numbers = summary.headline if summary else "what was planned"
    which = f" of {row.plan.commit[:7]}" if row.plan else ""
    if row.plan is not None and row.plan.reverts:
        return f"{verb} {row.target} to {row.plan.commit[:7]}: {numbers}?"
    return f"{verb} the plan{which} to {row.target}: {numbers}?"
