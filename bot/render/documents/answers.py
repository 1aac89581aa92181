"""The short answers: a no, a fault, a note."""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.results import Faulted, Noted
from bot.render.document import Code, Document, Element, Person, Plain, Text, Tone, say, tell

_TONES: dict[str, Tone] = {"good": "good", "plain": "plain", "warning": "warning"}


def refused(result: Refused) -> Document:
    return Document(_first(result.fact), _sentences(result.fact, result.next_step), "warning")


def noted(result: Noted) -> Document:
    return Document(_first(result.text), _sentences(result.text, result.next_step), _TONES[result.tone])


def faulted(result: Faulted) -> Document:
    said = Text(
        (
            Plain(
                "Something of ours broke, and nothing was changed after that. Try again; if it stays, give "
            ),
            Code(result.reference),
            Plain(" to whoever runs Towpath: the log has the rest."),
        )
    )
    return Document(f"Something broke ({result.reference})", (said,), "bad")


def _sentences(fact: str, next_step: str) -> tuple[Element, ...]:
    """A short answer stays one paragraph; a long one keeps its next step apart, where it is seen."""
    if next_step and "\n" not in fact + next_step:
        return tell(f"{fact} {_next(next_step)}")
    return (*tell(fact), *(tell(_next(next_step)) if next_step else ()))


def _next(step: str) -> str:
    """A bare command is introduced; a sentence speaks for itself."""
    return f"Next: {step}" if step.startswith("`") and step.endswith("`") and step.count("`") == 2 else step


def _first(text: str) -> str:
    return "".join(
        "somebody" if isinstance(span, Person) else span.text for span in say(text.split("\n", 1)[0])
    )
