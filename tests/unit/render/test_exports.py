from __future__ import annotations

import pytest

from bot.domain.exports import ExportView
from bot.render.document import Actions, Document
from bot.render.documents.export import export_answer, export_message
from tests.unit.render.exports import results


def labels(document: Document) -> list[str]:
    return [one.label for found in document.elements if isinstance(found, Actions) for one in found.buttons]


@pytest.mark.parametrize(
    ("name", "buttons"),
    [
        ("export_approval", ["Approve", "Reject", "Cancel"]),
        ("export_running", ["Cancel"]),
        ("export_done", ["Details"]),
        ("export_failed", []),
    ],
)
def test_the_message_has_the_buttons_that_still_do_something_and_an_answer_has_none(
    name: str, buttons: list[str]
) -> None:
    view = results()[name]
    assert isinstance(view, ExportView)
    assert labels(export_message(view)) == buttons
    assert labels(export_answer(view)) == []
