"""The cells of one environment's row, shared by the comment's table and the card."""

from __future__ import annotations

from bot.domain.results import Status, TargetStatus
from bot.domain.run import Run
from bot.render.document import Bold, Code, Command, Link, Plain, Spans, join, say
from bot.render.documents.plan import counts, summary_of
from bot.render.standing import at_work, progress, standing
from bot.render.words import BAD, ENDED, at, claim, commit, cut, pull_name

ICONS = {"running": "⏳", "failed": "❌", "locked": "🔒", "stale": "⚠️", "applied": "✅", "unchanged": "✅"}


def name(row: TargetStatus) -> Spans:
    """The environment, linked where its address is known without outputs."""
    url = row.environment.url
    for placeholder, value in (
        ("{pr}", str(row.pull or "")),
        ("{env}", row.target.environment),
        ("{stack}", row.target.stack),
        ("{instance}", row.target.instance),
    ):
        url = url.replace(placeholder, value)
    lives = row.release is not None and url and "{" not in url
    return (Bold(str(row.target)), Plain(" "), Link("open", url)) if lives else (Bold(str(row.target)),)


def plan(row: TargetStatus) -> Spans:
    summary = summary_of(row.plan)
    done = row.plan is not None and row.plan.status == "applied"
    return counts(summary, done=done) if summary else (Plain("–"),)


def planned(row: TargetStatus, status: Status) -> Spans:
    """The plan's commit and when it was made."""
    if row.plan is None:
        return ()
    return (*commit(row.plan.commit, status.pull), Plain(f", {at(row.plan.created_at)}"))


def state(row: TargetStatus, status: Status) -> Spans:
    """What goes on: the run that is on, the lock, who waits, how the last run ended."""
    parts = [_main(row, status)]
    stands = standing(row)
    if row.lock is not None and stands != "locked":
        ours = row.pull != 0 and row.lock.pull == row.pull
        held: Spans = (Plain("this pull request"),) if ours else claim(row.lock)
        parts.append((Plain("🔒 "), *held))
    if row.waiters:
        parts.append((Plain("waits: " + ", ".join(f"#{waiter.pull}" for waiter in row.waiters[:5])),))
    return join(parts)


def _main(row: TargetStatus, status: Status) -> Spans:
    stands = standing(row)
    icon = Plain(f"{ICONS[stands]} ") if stands in ICONS else Plain("")
    run = at_work(row)
    if run is not None:
        whose = () if run.pull == row.pull else (Plain(" · for "), pull_name(run.pull))
        return (icon, *progress(run, row.plan), *whose, *_log(run, status))
    if stands == "failed" and row.run is not None:
        return (icon, Plain(f"{row.run.kind} {ENDED[row.run.outcome or 'failed']}"), *_log(row.run, status))
    if stands == "locked" and row.lock is not None:
        return (icon, *claim(row.lock))
    if stands == "stale":
        return (icon, *say(cut(row.stale) if row.stale else "this plan can no longer be applied"))
    if stands == "applied":
        when = (
            f" {at(row.release.created_at)}"
            if row.release and row.plan and row.release.plan_digest == row.plan.digest
            else ""
        )
        return (icon, Plain(f"applied{when}"))
    said = {
        "unplanned": "not planned",
        "unchanged": "up to date",
        "ready": "ready to apply",
        "idle": "–",
        "over": "not applied",
    }
    return (icon, Plain(said.get(stands, "")))


def deployed(row: TargetStatus, status: Status) -> Spans:
    """What is there now, for a status that is about no pull request."""
    if row.release is None:
        return (Plain("nothing yet"),)
    number = (Plain(f"#{row.release.pull}"),) if row.release.pull else ()
    sha = commit(row.release.commit, status.pull) or (Code("?"),)
    return join([sha, number, (Plain(at(row.release.created_at)),)], ", ")


def next_step(row: TargetStatus) -> Spans:
    return (Command(row.next_step),) if row.next_step else ()


def trouble(row: TargetStatus) -> Run | None:
    """The newest run of the pull request, where it ended and people should know why."""
    run = row.run
    return (
        run
        if run is not None and (run.outcome in BAD or (run.outcome == "refused" and run.message))
        else None
    )


def _log(run: Run, status: Status) -> Spans:
    url = (status.links or {}).get(run.id, "")
    return (Plain(" · "), Link("log", url)) if url else ()
