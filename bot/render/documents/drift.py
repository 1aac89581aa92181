"""What a drift check found: the message about a change, and the answer to the requester."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.chat import Drifted
from bot.domain.drift import Drift
from bot.domain.plans import PlanSummary, ResourceChange
from bot.domain.target import command
from bot.render.document import (
    Block,
    Bold,
    Code,
    Details,
    Document,
    Element,
    Heading,
    Link,
    Note,
    Plain,
    Spans,
    Table,
    Text,
)
from bot.render.documents.plan import MAX_LINES, change_lines, diff
from bot.render.documents.plan_overview import destroyed
from bot.render.format import count, format_time
from bot.render.markup import join_spans, to_spans

SEE = "see the log"


def drift_message(found: Drift, link: str = "") -> Document:
    """The message about a new report. link: address of the check's log."""
    return Document(_title(found), _report(found, link), "good" if found.clean else "warning")


def drift_answer(result: Drifted) -> Document:
    """The answer to the requester, with the reports before."""
    found, past = result.found, result.past
    body = list(_report(found, result.link))
    known = next((one for one in past if one.run_id != found.run_id), None)
    if past and past[0] == known:
        body.append(Text((Plain(f"Unchanged since {format_time(known.found_at)}."),)))
    if past:
        rows = tuple(_row(one) for one in past)
        body += [Text((Bold("Latest reports"),)), Table(("Found", "Drift", "Commit"), rows, "reports")]
    return Document(_title(found), tuple(body), "good" if found.clean else "warning")


def _title(found: Drift) -> str:
    return f"{found.target}: no drift" if found.clean else f"{found.target} has drifted: {found.headline}"


def _report(found: Drift, link: str) -> tuple[Element, ...]:
    heading = Heading((Plain(_title(found)),))
    origin: list[Spans] = [
        (Plain("Checked against "), Code(found.commit[:7])),
        (Plain(format_time(found.found_at)),),
    ]
    if link.startswith("http"):
        origin.append((Link("log", link),))
    note = Note(join_spans(origin))
    if found.clean:
        matches = f"{found.target} matches the last apply."
        return (heading, Text((Plain(matches),)), *_ignored(found), note)
    body: list[Element] = []
    summary = PlanSummary.from_dict(found.summary)
    if summary.drift:
        body.append(Text((Bold(f"{count(found.outside, 'resource')} changed outside Terraform:"),)))
        groups = tuple(change_lines(change) for change in summary.drift)
        body.append(Block(groups, "diff", "resources", SEE, each=MAX_LINES))
    if found.pending:
        body.append(Text((Bold("Applying the deployed commit again would change:"),)))
        changes = tuple(change for change in summary.changes if change.action != "read")
        pending = replace(summary, changes=changes, drift=())
        body += [*destroyed(pending), *diff(pending, see=SEE)]
    plan = command("plan", found.target)
    body.append(Text(to_spans(f"Nothing is applied automatically. Next: `{plan}` in a pull request.")))
    return (heading, *body, *_ignored(found), note)


def _ignored(found: Drift) -> tuple[Element, ...]:
    """What changed outside since the first check after the apply, and is no drift, since no plan would change it."""
    changes = tuple(ResourceChange.from_dict(one) for one in found.summary.get("ignored", ()))
    if not changes:
        return ()
    title = f"{count(len(changes), 'resource')} changed outside Terraform in values that no plan acts on"
    groups = tuple(change_lines(change) for change in changes)
    return (Details((Plain(title),), (Block(groups, "diff", "resources", SEE),)),)


def _row(one: Drift) -> tuple[Spans, ...]:
    return (Plain(format_time(one.found_at)),), (Plain(one.headline),), (Code(one.commit[:7]),)
