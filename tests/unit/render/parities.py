"""Answers to `/parity`."""

from __future__ import annotations

from bot.domain.chat import Result
from bot.domain.parity import Comparison, Difference, Parity, Side, Unused
from tests.unit.render.facts import HEAD, NASTY, REPOSITORY

PAIR = ("staging", "prod")
NODES = Difference(
    "var.nodes",
    "value",
    (
        Side(("staging",), "2", "number", "envs/staging.tfvars line 3"),
        Side(("prod",), "3", "number", "envs/prod.tfvars line 3"),
    ),
)


def results() -> dict[str, Result]:
    differences = (
        NODES,
        Difference(
            "var.db_password",
            "type",
            (
                Side(("staging",), '"x"', "string", "a line 1", hidden=True),
                Side(("prod",), "1", "number", "", hidden=True),
            ),
        ),
        Difference(
            f"var.{NASTY}", "missing", (Side(("staging",), NASTY * 3, "string", NASTY), Side(("prod",), None))
        ),
        Difference("resource.vm", "value", (Side(("staging",), "2"), Side(("prod",), "3")), NASTY),
    )
    alike = Comparison("infra", ("dev", "ci", "test"), (), 12, ("providers of dev (local-only)",))
    unlike = Comparison("infra", PAIR, differences, 14)
    other = Comparison("network", PAIR, (NODES,), 3)
    return {
        "parity": Parity(REPOSITORY, HEAD, (alike, unlike, other), (Unused(PAIR, NASTY),), 12),
        "parity_added_to": Parity(REPOSITORY, HEAD, (other,), declares=frozenset([PAIR])),
        "parity_ok": Parity(REPOSITORY, HEAD, (alike,)),
    }
