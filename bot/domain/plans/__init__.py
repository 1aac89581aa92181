"""What a Terraform plan changes.

`plan_reader` reads the JSON of `terraform show`, `summary` is the result, `pages` writes all of it as text;
`attribute_diff` compares attributes, `value_diff` finds what differs in them, `diff_writer` writes it; `outside_changes`
tells which changes made outside Terraform matter; `rate` limits how many plans are made."""

from bot.domain.plans.attribute_diff import Differ, Pair
from bot.domain.plans.diff_writer import fold
from bot.domain.plans.literal import SENSITIVE, UNKNOWN, spell_path
from bot.domain.plans.outside_changes import split_outside
from bot.domain.plans.pages import OUTSIDE, PlanPage, PlanSection, plan_pages, read_page
from bot.domain.plans.plan_reader import read_changes, read_plan
from bot.domain.plans.rate import WINDOW, PlanLimits, PlanUse, next_allowed
from bot.domain.plans.resource_change import Action, AttributeChange, ResourceChange, is_change, omitted_lines
from bot.domain.plans.settled import Settled, settled_values, without_settled_outputs
from bot.domain.plans.summary import PlanSummary
from bot.domain.plans.summary_json import ClassifiedChangeJson, DriftSummary, PlanSummaryJson
from bot.domain.plans.terraform_json import change_json, read_json

__all__ = [
    "OUTSIDE",
    "SENSITIVE",
    "UNKNOWN",
    "WINDOW",
    "Action",
    "AttributeChange",
    "ClassifiedChangeJson",
    "Differ",
    "DriftSummary",
    "Pair",
    "PlanLimits",
    "PlanPage",
    "PlanSection",
    "PlanSummary",
    "PlanSummaryJson",
    "PlanUse",
    "ResourceChange",
    "Settled",
    "change_json",
    "fold",
    "is_change",
    "next_allowed",
    "omitted_lines",
    "plan_pages",
    "read_changes",
    "read_json",
    "read_page",
    "read_plan",
    "settled_values",
    "spell_path",
    "split_outside",
    "without_settled_outputs",
]
