"""Why something failed: the cause and the next step first, then the errors and the end of the log."""

from __future__ import annotations

from urllib.parse import quote

from bot.domain.why import Cause, Diagnostic, FailedJob, FailedRun, RefusedApply, Why
from bot.render.document import (
    Block,
    Bold,
    Code,
    Document,
    Element,
    Heading,
    Link,
    Note,
    Plain,
    Span,
    Spans,
    Text,
)
from bot.render.format import OUTCOMES, count, format_time, one_line, requested_by
from bot.render.markup import join_spans, to_elements, to_spans

ERRORS = 3
"""Terraform's errors that are shown; the log has all."""
DETAIL_LINES = 12
LOG_LINES = 25


def why(result: Why) -> Document:
    elements: list[Element] = []
    if result.refused:
        elements += _refused(result.refused)
    run = _run(result.run) if result.run else ()
    jobs = [element for job in result.jobs for element in _job(job, result.commit)]
    over = result.run is not None and result.run.later is not None
    elements += [*jobs, *run] if over else [*run, *jobs]
    if result.more_jobs:
        elements.append(Note((Plain(f"{count(result.more_jobs, 'more job')} failed: see the checks."),)))
    if result.note:
        elements.append(Note((Plain(result.note),)))
    return Document(_title(result), tuple(elements), "bad")


def _title(result: Why) -> str:
    if result.refused:
        return f"Why the apply of {result.refused.target} was refused"
    if result.run and not (result.run.later and result.jobs):
        return _run_title(result.run)
    job = result.jobs[0].job
    return f"Why {one_line(job.name)} failed on GitHub Actions"


def _run_title(failed: FailedRun) -> str:
    run = failed.run
    if run.outcome == "applied":
        return f"Why the {run.word} of {run.target} was not verified"
    ending = {"timed_out": "timed out", "failed": "failed"}
    verb = ending.get(run.outcome or "failed", f"was {OUTCOMES[run.outcome or 'failed']}")
    return f"Why the {run.word} of {run.target} {verb}"


def _run(failed: FailedRun) -> tuple[Element, ...]:
    run = failed.run
    facts: list[Spans] = [
        (Plain("Run "), Code(run.id[:12])),
        (Code(run.commit[:7]),) if run.commit else (),
        requested_by(run),
        (Plain(format_time(run.finished_at)),) if run.finished_at else (),
        (Plain(f"step: {failed.step}"),) if failed.step else (),
        (Link("log", failed.link),) if failed.link.startswith("http") else (),
    ]
    elements: list[Element] = [
        Heading((Plain(_run_title(failed)),)),
        *_cause(failed.cause),
        Note(join_spans(facts)),
    ]
    for error in failed.diagnostics[:ERRORS]:
        elements += _error(error, failed)
    if (more := len(failed.diagnostics) - ERRORS) > 0:
        elements.append(Note((Plain(f"{count(more, 'more error')}: see the log."),)))
    elements += _log(failed.log)
    if run.reference:
        elements.append(Text((Plain("Reference: "), Code(run.reference))))
    if failed.later is not None:
        later = f"A later {failed.later.word} of {failed.later.target} succeeded."
        elements.append(Note((Plain(later),)))
    return tuple(elements)


def _refused(refused: RefusedApply) -> tuple[Element, ...]:
    return (
        Heading((Plain(f"Why the apply of {refused.target} was refused"),)),
        *_cause(refused.cause),
        Note((Plain(format_time(refused.at)),)),
    )


def _job(failed: FailedJob, commit: str) -> tuple[Element, ...]:
    job = failed.job
    name = one_line(f"{job.workflow} / {job.name}" if job.workflow else job.name)
    facts: list[Spans] = [
        (Plain("GitHub Actions"),),
        (Code(commit[:7]),),
        (Plain("step: "), Code(one_line(job.steps[0]))) if job.steps else (),
        (Link("log", job.url),) if job.url.startswith("http") else (),
    ]
    body: list[Element] = [
        Heading((Plain(f"Why {name} failed"),)),
        *_cause(failed.cause),
        Note(join_spans(facts)),
        *_log(failed.log),
    ]
    if failed.note:
        body.append(Note((Plain(failed.note),)))
    return tuple(body)


def _cause(cause: Cause) -> tuple[Element, ...]:
    """A gate's text may have several lines; ours have one."""
    told = to_elements(cause.explanation)
    if not cause.next_step:
        return told
    return (*told, Text((Bold("Next:"), Plain(" "), *to_spans(cause.next_step))))


def _error(error: Diagnostic, failed: FailedRun) -> tuple[Element, ...]:
    place: list[Span] = []
    if error.file:
        text = f"{error.file} line {error.line}" if error.line else error.file
        place = [_place(error, failed, text), Plain(": ")]
    address: Spans = (Plain(" in "), Code(error.address)) if error.address else ()
    told = Text((*place, Bold(one_line(error.summary) or "Error"), *address))
    if not error.detail.strip():
        return (told,)
    lines = tuple((line,) for line in error.detail.splitlines())
    return told, Block(lines, of="lines", see="see the log", most=DETAIL_LINES)


def _place(error: Diagnostic, failed: FailedRun, text: str) -> Span:
    """The file's line, linked at the run's commit if it is part of the repository."""
    if not error.tracked or not failed.repository_url.startswith("http"):
        return Code(text)
    anchor = f"#L{error.line}" if error.line else ""
    return Link(text, f"{failed.repository_url}/blob/{failed.run.commit}/{quote(error.file)}{anchor}")


def _log(log: tuple[str, ...]) -> tuple[Element, ...]:
    if not log:
        return ()
    groups = tuple((line,) for line in log)
    return (
        Text((Plain("Last lines of the log:"),)),
        Block(groups, of="lines", see="see the log", tail=True, most=LOG_LINES),
    )
