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
    body.append(
        Actions((Button("Plan", "plan"), *general) if pull.state == "open" and status.targets else general)
    )
    return Document(f"#{pull.number} {cut(pull.title)}: {text}", tuple(body), tone)


def _buttons(row: TargetStatus, status: Status) -> tuple[Button, ...]:
    run = at_work(row)
    newest = run or row.run
    log = (status.links or {}).get(newest.id, "") if newest else ""
    buttons: list[Button] = []
    if row.next_step.startswith("/apply") and standing(row) in ("ready", "waiting"):
        buttons.append(
            Button(f"Apply {row.target}", row.next_step[1:], style="primary", confirm=_question(row))
        )
    elif row.next_step.startswith("/plan"):
        buttons.append(Button(f"Plan {row.target}", row.next_step[1:]))
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


def _spoken(label: str, word: str, row: TargetStatus, question: str) -> Button:
    return Button(f"{label} {row.target}", command(word, row.target)[1:], style="danger", confirm=question)


def _question(row: TargetStatus) -> str:
    summary = summary_of(row.plan)
    numbers = summary.headline if summary else "what was planned"
    which = f" of {row.plan.commit[:7]}" if row.plan else ""
    return f"Apply the plan{which} to {row.target}: {numbers}?"
