"""What a look for drift found: the message about a change, and the answer to who asked."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.drift import Drift
from bot.domain.gates import command
from bot.domain.plan import PlanSummary
from bot.domain.results import Drifted
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
    Spans,
    Table,
    Text,
    join,
    say,
)
from bot.render.documents.plan import diff, lines, losses
from bot.render.words import at, count

SEE = "see the log"


def finding(found: Drift, link: str = "") -> Document:
    """The message about a finding that is new. link: address of the look's log."""
    return Document(_title(found), _said(found, link), "good" if found.clean else "warning")


def drifted(result: Drifted) -> Document:
    """The answer to who asked, with the findings before."""
    found, past = result.found, result.past
    body = list(_said(found, result.link))
    known = next((one for one in past if one.run_id != found.run_id), None)
    if past and past[0] == known:
        body.append(Text((Plain(f"Nothing new since {at(known.found_at)}."),)))
    if past:
        rows = tuple(_row(one) for one in past)
        body += [Text((Bold("Last findings"),)), Table(("Found", "Drift", "Of"), rows, "findings")]
    return Document(_title(found), tuple(body), "good" if found.clean else "warning")


def _title(found: Drift) -> str:
    return f"{found.target}: no drift" if found.clean else f"{found.target}: drift, {found.headline}"


def _said(found: Drift, link: str) -> tuple[Element, ...]:
    body: list[Element] = [Heading((Plain(_title(found)),))]
    where: list[Spans] = [(Plain("Measured against "), Code(found.commit[:7])), (Plain(at(found.found_at)),)]
    if link.startswith("http"):
        where.append((Link("log", link),))
    if found.clean:
        body.append(Text((Plain("The world is as the last apply left it."),)))
        return (*body, Note(join(where)))
    summary = PlanSummary.from_dict(found.summary)
    if summary.drift:
        body.append(Text((Bold(f"{count(found.outside, 'resource')} changed outside Terraform:"),)))
        body.append(Block(tuple(lines(change) for change in summary.drift), "diff", "resources", SEE))
    if found.pending:
        body.append(Text((Bold("What is deployed would change, if it were applied again:"),)))
        changes = tuple(change for change in summary.changes if change.action != "read")
        summary = replace(summary, changes=changes, drift=())
        body += [*losses(summary, 8), *diff(summary, see=SEE)]
    body.append(
        Text(say(f"Nothing is applied by itself. Next: `{command('plan', found.target)}` in a pull request."))
    )
    return (*body, Note(join(where)))


def _row(one: Drift) -> tuple[Spans, ...]:
    return (Plain(at(one.found_at)),), (Plain(one.headline),), (Code(one.commit[:7]),)
