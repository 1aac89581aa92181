"""What `towpath dev ci` prints."""

from __future__ import annotations

from bot.cli.dev.ci_session import Checked, CiResult
from bot.cli.dev.desk import Desk
from bot.cli.dev.shown import applied_facts, run_facts, smoke_lines, summary_facts
from bot.cli.output import document
from bot.domain.policy import PATH
from bot.render.document import Bold, Document, Element, Facts, Note, Plain, Text
from bot.render.documents.plan import diff, summary_of
from bot.render.documents.plan_overview import destroyed, overview
from bot.render.documents.run_failure import run_failure


def show(desk: Desk, result: CiResult) -> None:
    """Print the plan and the verdict of each stack."""
    policy = f"{desk.default.ref} at {desk.default.commit[:7]}"
    files = f"{desk.copy.branch or 'HEAD'} at {result.commit[:7]}"
    elements: list[Element] = [Facts((("Files", (Plain(files),)), ("Policy", (Plain(policy),))))]
    if number := len(result.uncommitted):
        some = "1 uncommitted change does" if number == 1 else f"{number} uncommitted changes do"
        elements.append(Note((Plain(f"{some} not count: {', '.join(result.uncommitted[:5])}"),)))
    if result.environment.identity:
        elements.append(
            Note(
                (
                    Plain(
                        f"{result.environment.name} has an identity; here it has its static secrets instead."
                    ),
                )
            )
        )
    for one in result.checks:
        elements += _checked(one)
    if not result.checks:
        elements.append(Text((Plain(_nothing(desk, result)),)))
    document(Document("", tuple(elements)))


def _nothing(desk: Desk, result: CiResult) -> str:
    name = result.environment.name
    if not result.environment.on_pull_request:
        return f"{name} is not planned for pull requests: on_pull_request is empty in {PATH}. Name a stack: --stack."
    return (
        f"Nothing to plan: {result.commit[:7]} changes no stack of {name}, compared with {desk.default.ref}. "
        "Name a stack to plan it all the same: --stack."
    )


def _checked(one: Checked) -> list[Element]:
    summary = summary_of(one.plan)
    elements: list[Element] = []
    if summary is None:
        elements += run_failure(one.run)
    else:
        see = "the plan is longer than a terminal shows"
        elements += [*destroyed(summary), *overview(summary), *diff(summary, see=see)]
    if one.verified is not None:
        release = one.verified.release
        elements += [] if release else run_failure(one.verified.applied)
        elements += smoke_lines(release)
        done = one.verified.destroyed.outcome == "applied"
        elements.append(Text((Plain("✓ destroyed" if done else "✗ not destroyed"),)))
        elements += [] if done else run_failure(one.verified.destroyed)
    elements.append(
        Text(
            (
                Bold(f"{one.check.name}: {'success' if one.ok else _verdict(one)}"),
                Plain(f"  {one.check.title}"),
            )
        )
    )
    return elements


def _verdict(one: Checked) -> str:
    return "failure" if one.check.conclusion == "success" else str(one.check.conclusion)


def facts(desk: Desk, result: CiResult) -> dict[str, object]:
    """Return the result for JSON."""
    return {
        "ok": result.ok,
        "environment": result.environment.name,
        "commit": result.commit,
        "uncommitted": list(result.uncommitted),
        "policy": {"ref": desk.default.ref, "commit": desk.default.commit},
        "checks": [_facts(one) for one in result.checks],
    }


def _facts(one: Checked) -> dict[str, object]:
    verified = one.verified
    return {
        "name": one.check.name,
        "stack": one.run.target.stack,
        "conclusion": one.check.conclusion,
        "title": one.check.title,
        "text": one.check.text,
        **run_facts(one.run),
        **summary_facts(one.plan),
        "verify": verified
        and {
            "ok": verified.ok,
            "apply": applied_facts(verified.applied, verified.release),
            "destroy": run_facts(verified.destroyed),
        },
    }
