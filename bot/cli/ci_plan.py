"""`towpath ci plan`: plan a pull request, and show the plans in its one comment."""

from __future__ import annotations

from bot.actions.runner import Runner
from bot.cli.ci_context import Job, job
from bot.cli.ci_report import annotate_run
from bot.domain.actions import signed
from bot.domain.chat import Status
from bot.domain.ports.forge import PullRequest
from bot.domain.refusal import Refusal
from bot.services.actions import plan_status, pull_requested, request_pull_plans, reviewed_plans
from bot.services.targets import PullContext, load_pull_context
from bot.surfaces.actions_comment import add_reviewed, plans_posted, post_plans

IDLE = ("no-policy", "other-base", "untrusted-fork")
"""Codes of refusals that are no failure: there is nothing to plan."""


def plan_pull_request(runner: Runner) -> bool:
    """Plan what the pull request affects. Returns whether all plans succeeded."""
    event = runner.event("pull_request")
    number, head = int(event["pull_request"]["number"]), str(event["pull_request"]["head"]["sha"])
    with job(runner) as found:
        try:
            pull = pull_requested(found.context, runner.repository, number, head)
            if pull is None:
                runner.annotate(
                    "notice", f"A newer commit than {head[:7]} was pushed; it has a run of its own."
                )
                return True
            return _plan(found, load_pull_context(found.context, pull))
        except Refusal as refusal:
            if refusal.code not in IDLE:
                raise
            runner.annotate("notice", str(refusal))
            return True


def _plan(found: Job, pull_context: PullContext) -> bool:
    context, runner, pull = found.context, found.runner, pull_context.pull
    refusals = request_pull_plans(context, pull_context, runner.seed)
    found.workshop.carry_out()
    status = plan_status(context, pull, tuple(f"{one.fact} {one.next_step}" for one in refusals))
    if not status.targets and not refusals and not plans_posted(context, pull):
        runner.annotate("notice", "This pull request touches no stack.")
        return True
    _show(found, pull, status)
    for row in status.targets:
        if row.run is not None:
            annotate_run(runner, row.run, pull_context.policy)
    for refusal in refusals:
        runner.annotate("warning", f"{refusal.fact} {refusal.next_step}")
    return all(row.run is not None and row.run.outcome == "planned" for row in status.targets)


def _show(found: Job, pull: PullRequest, status: Status) -> None:
    """Post the comment, then what people can read in it from that time on, signed."""
    context = found.context
    body, at = post_plans(context, pull, status)
    found.runner.summarise(body)
    targets = [row.target for row in status.targets]
    shown_at = at or context.now()
    plans = reviewed_plans(context, pull, targets, found.workshop.changes, found.keys[0], shown_at)
    if plans is not None:
        add_reviewed(context, pull, body, signed(plans, found.keys[0]))
