"""The rules that let an apply pass or refuse it, each a small class.

`apply` has the gates for every environment, `promotion` those for guarded ones, `revert` those for reverts; `order` puts
them in order. `facts` is what they judge by."""

from bot.domain.gates.apply import APPLY
from bot.domain.gates.facts import ApplyFacts, Gate, Source, Upstream
from bot.domain.gates.order import GATES, first_refusal, gate_answers, judge_apply
from bot.domain.gates.promotion import NEEDS_APPROVAL, PROMOTION, WAITING, Promoted
from bot.domain.gates.refusals import (
    refuse_locked,
    refuse_other_commit,
    refuse_pushed,
    refuse_role,
    refuse_unread,
)
from bot.domain.gates.staleness import refuse_stale
from bot.domain.gates.upstream import UPSTREAM_FIRST, first_unapplied

__all__ = [
    "APPLY",
    "GATES",
    "NEEDS_APPROVAL",
    "PROMOTION",
    "UPSTREAM_FIRST",
    "WAITING",
    "ApplyFacts",
    "Gate",
    "Promoted",
    "Source",
    "Upstream",
    "first_refusal",
    "first_unapplied",
    "gate_answers",
    "judge_apply",
    "refuse_locked",
    "refuse_other_commit",
    "refuse_pushed",
    "refuse_role",
    "refuse_stale",
    "refuse_unread",
]
