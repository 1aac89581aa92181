"""The order of the gates, and the verdict on one apply.

A request, a completed approval, a revert and the start of an apply all evaluate `GATES` in this order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.domain.gates.apply import APPLY
from bot.domain.gates.facts import ApplyFacts, Gate
from bot.domain.gates.promotion import NEEDS_APPROVAL, PROMOTION, WAITING
from bot.domain.gates.revert import NEEDS_COUNT, LossesCounted, PlanMatchesCommand
from bot.domain.refusal import Allowed, GateAnswer, Refused

GATES: tuple[Gate, ...] = (PlanMatchesCommand(), *APPLY, *PROMOTION, LossesCounted())


@dataclass(frozen=True)
class Verdict:
    """The verdict on one apply.

    outcome: `apply`; `approval` if people must approve first, or if the apply waits for a time or a run; `refused` if only
    the refusal's next step helps. refusal: the one that decided, None for `apply`.
    """

    outcome: Literal["apply", "approval", "refused"]
    refusal: Refused | None = None


def judge_apply(facts: ApplyFacts, *, when_approved: bool = False) -> Verdict:
    """Evaluate all gates. when_approved: the apply may wait until a freeze, a soak time or a run of the source ends.

    A refusal that ends by itself does not stop an approval request: people decide in the meantime. A revert never waits,
    since it is meant for now.
    """
    refusals = [answer for gate in GATES if isinstance(answer := gate.check(facts), Refused)]
    needs_approval = any(refusal.code in NEEDS_APPROVAL for refusal in refusals)
    for refusal in refusals:
        waits = refusal.code in WAITING and not facts.reverting and (needs_approval or when_approved)
        if waits or refusal.code in NEEDS_APPROVAL or (needs_approval and refusal.code == NEEDS_COUNT):
            continue
        return Verdict("refused", refusal)
    return Verdict("approval", refusals[0]) if refusals else Verdict("apply")


def first_refusal(gates: Sequence[Gate], facts: ApplyFacts) -> Refused | None:
    """Return the first refusal, or None if all gates pass. People can only do one thing next."""
    for gate in gates:
        answer = gate.check(facts)
        if isinstance(answer, Refused):
            return answer
    return None


def gate_answers(gates: Sequence[Gate], facts: ApplyFacts) -> list[GateAnswer]:
    """Return the answer of every gate, including those after the first refusal."""
    answers = []
    for gate in gates:
        answer = gate.check(facts)
        passed = isinstance(answer, Allowed)
        ground = answer.ground if isinstance(answer, Allowed) else f"{answer.code}: {answer.fact}"
        answers.append(GateAnswer(type(gate).__name__, passed, ground))
    return answers
