"""The card of a pull request: its one message in Slack."""

from __future__ import annotations

from bot.domain.chat import Status, TargetStatus
from bot.render.document import Actions, Button, Document, Element, Heading, Link, Note, Plain, Table, Text
from bot.render.documents.card_buttons import row_buttons
from bot.render.documents.headline import headline
from bot.render.documents.state_cell import state_cell
from bot.render.documents.status import warnings
from bot.render.documents.status_rows import environment_cell, plan_cell, planned_cell
from bot.render.format import one_line
from bot.render.markup import join_spans, to_spans

MAX_SECTIONS = 12
"""Environments that get a section with buttons; the rest are listed."""


def card(status: Status) -> Document:
    """Raises ValueError for a status without a pull request."""
    pull = status.pull
    if pull is None:
        raise ValueError("a card belongs to a pull request")
    sentence, text, tone = headline(status)
    title = f"#{pull.number} {one_line(pull.title)}"
    state = f" · {pull.state}" if pull.state != "open" else ""
    link = Link(f"{pull.repository}#{pull.number}", pull.url)
    body: list[Element] = [
        Heading((Plain(title),)),
        Note((link, Plain(f" by @{pull.author}{state}"))),
        *warnings(status),
        Text(sentence),
    ]
    for row in status.targets[:MAX_SECTIONS]:
        body += _section(row, status)
    if rest := status.targets[MAX_SECTIONS:]:
        rows = tuple((environment_cell(row), plan_cell(row, status), state_cell(row, status)) for row in rest)
        body.append(Table(("Environment", "Plan", "State"), rows, "environments"))
    body += [Note(to_spans(note.replace("\n", " "))) for note in status.notes]
    buttons: tuple[Button, ...] = (Button("Open pull request", url=pull.url),)
    if pull.state == "open" and any(row.environment.on_pull_request for row in status.targets):
        buttons = (Button("Plan", "plan"), *buttons)
    body.append(Actions(buttons))
    return Document(f"{title}: {text}", tuple(body), tone)


def _section(row: TargetStatus, status: Status) -> list[Element]:
    cells = [
        environment_cell(row),
        plan_cell(row, status),
        planned_cell(row, status),
        state_cell(row, status),
    ]
    buttons = row_buttons(row, status)
    return [Text(join_spans(cells)), *([Actions(buttons)] if buttons else [])]
