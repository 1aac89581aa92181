"""The cells of one environment's row, shared by the comment's table and the card."""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.approval import wanted
from bot.domain.results import Status, TargetStatus
from bot.domain.run import Run
from bot.render.document import Bold, Code, Command, Link, Plain, Spans, join, say
from bot.render.documents.follow_up import forced, loud
from bot.render.documents.plan import counts, summary_of
from bot.render.standing import at_work, goes_back, progress, standing
from bot.render.words import BAD, ENDED, at, claim, commit, cut, day, pull_name

ICONS = {
    "running": "⏳",
    "waiting": "✋",
    "failed": "❌",
    "locked": "🔒",
    "stale": "⚠️",
    "applied": "✅",
    "reverted": "✅",
    "unchanged": "✅",
}


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
    """What goes on: the run that is on, the lock, who waits, how the last run ended, what was forced, freezes."""
    parts = [*alarms(row), _main(row, status), _freeze(row)]
    stands = standing(row)
    if row.lock is not None and stands != "locked":
        ours = row.pull != 0 and row.lock.pull == row.pull
        held: Spans = (Plain("this pull request"),) if ours else claim(row.lock)
        parts.append((Plain("🔒 "), *held))
    if row.hold is not None:
        parts.append((Plain("📌 held at "), Code(row.hold.commit[:7])))
    parts.append(_drift(row))
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
        return (icon, Plain(f"{row.run.word} {ENDED[row.run.outcome or 'failed']}"), *_log(row.run, status))
    if stands == "locked" and row.lock is not None:
        return (icon, *claim(row.lock))
    if stands == "waiting" and row.blocked is not None:
        return (icon, *_blocked(row, row.blocked))
    if stands == "stale":
        return (icon, *say(cut(row.stale) if row.stale else "this plan can no longer be applied"))
    if stands in ("applied", "reverted"):
        return _done(row, stands, icon)
    back = goes_back(row)
    said = {
        "unplanned": "not planned",
        "unchanged": "nothing to revert" if back else "up to date",
        "ready": "ready to revert" if back else "ready to apply",
        "idle": "–",
        "over": "not reverted" if back else "not applied",
    }
    return (icon, Plain(said.get(stands, "")))


def _done(row: TargetStatus, word: str, icon: Plain) -> Spans:
    """What this pull request's plan, or the revert of what it applied, has left; without a time where neither stands
    there any more. After a revert the commit that it went back to is named."""
    there = row.release
    ours = there is not None and row.plan is not None and there.plan_digest == row.plan.digest
    if there is None or not (ours or row.undone):
        return (icon, Plain(word))
    back: Spans = (Plain(" to "), Code(there.commit[:7])) if there.reverts else ()
    done: Spans = (Plain(word), *back, Plain(f" {at(there.created_at)}"))
    if row.undone and there.pull != row.pull:
        done = (*done, Plain(" by "), pull_name(there.pull))
    return (icon, *done) if there.verified else (Plain("❌ "), *done, Plain(", its smoke checks failed"))


def alarms(row: TargetStatus) -> list[Spans]:
    """What was forced there, until somebody else has acknowledged it; and a forced run that is on."""
    said = [loud(one) for one in row.follow_ups]
    known = {one.run_id for one in row.follow_ups}
    run = at_work(row)
    if run is not None and run.forced and run.id not in known:
        said.append(forced(run.actor, run.forced))
    return said


def _blocked(row: TargetStatus, blocked: Refused) -> Spans:
    """The first thing that an apply waits for."""
    if blocked.code == "soaking" and blocked.until:
        return (Plain(f"soaks until {at(blocked.until)}"),)
    if blocked.code == "frozen" and blocked.until:
        return (Plain(f"frozen until {day(blocked.until)}"),)
    if blocked.code == "unapproved":
        lacking = row.consent.missing if row.consent and row.consent.approval.live else None
        if lacking is None or row.consent is None:
            return (Plain("needs approval"),)
        of = "" if lacking.more else "approval of "
        return (Plain(f"needs {of}"), *say(wanted(row.consent.approval, lacking)))
    return say(cut(blocked.fact))


def _drift(row: TargetStatus) -> Spans:
    """What was found there last, and whether it is known at all."""
    said: list[Spans] = []
    if row.drift is not None:
        said.append((Plain(f"⚠️ drift: {row.drift.headline}"),))
    look = row.look
    if look is not None and look.active:
        said.append((Plain("🔎 looking for drift"),))
    elif look is not None and look.outcome in BAD and look.finished_at:
        said.append((Plain(f"❔ the look for drift failed, {at(look.finished_at)}"),))
    return join(said)


def _freeze(row: TargetStatus) -> Spans:
    """A freeze that is on or near, where it is not said already."""
    said = standing(row) == "waiting" and row.blocked is not None and row.blocked.code == "frozen"
    if row.frozen is not None and not said and not row.over:
        return (Plain(f"❄️ frozen until {day(row.frozen.until)}" if row.frozen.until else "❄️ frozen"),)
    if row.coming is not None and row.coming.until and not row.over:
        return (Plain(f"❄️ freezes {day(row.coming.until)}"),)
    return ()


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
    if run is None or (
        run.outcome not in BAD and not (run.outcome in ("refused", "applied", "planned") and run.message)
    ):
        return None
    return run


def _log(run: Run, status: Status) -> Spans:
    url = (status.links or {}).get(run.id, "")
    return (Plain(" · "), Link("log", url)) if url else ()
