"""The short answers: a refusal, a notice, an internal error."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.chat import InternalError, Late, Notice
from bot.domain.refusal import Refused
from bot.render.document import Code, Document, Element, Note, Person, Plain, Text, Tone
from bot.render.format import format_duration, format_time
from bot.render.markup import to_elements, to_spans

_TONES: dict[str, Tone] = {"good": "good", "plain": "plain", "warning": "warning"}


def refused(result: Refused) -> Document:
    return Document(_first_line(result.fact), _fact_and_next_step(result.fact, result.next_step), "warning")


def notice(result: Notice) -> Document:
    body = _fact_and_next_step(result.text, result.next_step)
    return Document(_first_line(result.text), body, _TONES[result.tone])


def internal_error(result: InternalError) -> Document:
    body = Text(
        (
            Plain("Internal error. Nothing was changed after it. Try again; if it persists, give "),
            Code(result.reference),
            Plain(" to whoever operates Towpath: it identifies the log entry."),
        )
    )
    return Document(f"Internal error ({result.reference})", (body,), "bad")


def late(result: Late, answer: Document) -> Document:
    """The answer, after a line that says how late it is."""
    when = f"Late answer: written {format_time(result.written_at)}, answered {format_duration(result.delay)} later."
    return replace(answer, elements=(Note((Plain(when),)), *answer.elements))


def _fact_and_next_step(fact: str, next_step: str) -> tuple[Element, ...]:
    """Keep a short answer in one paragraph, and the next step of a long one in a paragraph of its own."""
    if next_step and "\n" not in fact + next_step:
        return to_elements(f"{fact} {_introduced(next_step)}")
    return (*to_elements(fact), *(to_elements(_introduced(next_step)) if next_step else ()))


def _introduced(step: str) -> str:
    """Introduce a bare command with "Next:"; a sentence stays as it is."""
    bare = step.startswith("`") and step.endswith("`") and step.count("`") == 2
    return f"Next: {step}" if bare else step


def _first_line(text: str) -> str:
    spans = to_spans(text.split("\n", 1)[0])
    return "".join("a Slack user" if isinstance(span, Person) else span.text for span in spans)
