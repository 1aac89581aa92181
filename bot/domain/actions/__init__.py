"""Towpath in GitHub Actions, without a server: the reviewed plan that travels from a pull request to its merge.

`structure` says what a plan would do, `reviewed` what travels (signed, and without any value in clear), `comparison` how a
later plan differs from it. `promoted` hands a release on from the job of one environment to that of the next;
`workflow_jobs` says which jobs the policy needs."""

from bot.domain.actions.comparison import Difference, difference
from bot.domain.actions.merge_push import MergePush
from bot.domain.actions.promoted import Promoted, read_promoted, write_promoted
from bot.domain.actions.reviewed import (
    LONGEST,
    ReviewedPlan,
    ReviewedPlans,
    read_reviewed,
    reviewed_plan,
    signed,
)
from bot.domain.actions.signature import mac
from bot.domain.actions.structure import planned_changes
from bot.domain.actions.workflow_jobs import ApplyJob, PlanJob, apply_jobs, plan_job, run_jobs, unused_secrets

__all__ = [
    "LONGEST",
    "ApplyJob",
    "Difference",
    "MergePush",
    "PlanJob",
    "Promoted",
    "ReviewedPlan",
    "ReviewedPlans",
    "apply_jobs",
    "difference",
    "mac",
    "plan_job",
    "planned_changes",
    "read_promoted",
    "read_reviewed",
    "reviewed_plan",
    "run_jobs",
    "signed",
    "unused_secrets",
    "write_promoted",
]
