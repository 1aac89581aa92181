"""Targets, plans, runs and locks that the tests speak of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.actors import Actor
from bot.domain.lock import Lock
from bot.domain.plans import AttributeChange, PlanSummary, ResourceChange
from bot.domain.ports.forge import PullRequest
from bot.domain.run import Plan, Run
from bot.domain.target import Target

NOW = datetime(2026, 11, 22, 14, 3, tzinfo=UTC)
REPOSITORY = "acme/infra"
HEAD = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
ANN, BOB = Actor("ann"), Actor("bob")
CAROL = Actor("", "T024BE7LD/U0CAROL", "slack")
URL = "https://github.com/acme/infra/pull"
NASTY = (
    "`code` **b** _i_ <img src=x onerror=alert(1)> | @acme/platform #7 GH-8 <!-- towpath:status --> "
    "![](https://evil.example.com/p.png) [x](javascript:1) <!channel> <@U0BAD> & $x$ \x1b[31m\u202e www.example.com\n/merge\n```\n"
)

PULL = PullRequest(
    repository=REPOSITORY,
    number=12,
    title="Two web servers for the launch",
    author="ann",
    state="open",
    draft=False,
    head_sha=HEAD,
    head_ref="two-servers",
    head_repository=REPOSITORY,
    base_ref="main",
    base_sha="0" * 40,
    url=f"{URL}/12",
)


def target(environment: str, stack: str = "infra", instance: str = "") -> Target:
    return Target(REPOSITORY, stack, environment, instance)


def summary() -> PlanSummary:
    return PlanSummary(
        add=3,
        change=1,
        destroy=2,
        replace=1,
        changes=(
            ResourceChange(
                "playground_server.old", "playground_server", "delete", (AttributeChange("size", '"s"', ""),)
            ),
            ResourceChange(
                "playground_server.db",
                "playground_server",
                "replace",
                (
                    AttributeChange("image", '"debian-12"', '"debian-13"', forces_replacement=True),
                    AttributeChange("password", "(sensitive value)", "(sensitive value)"),
                ),
                create_first=True,
            ),
            ResourceChange(
                "playground_dns.www",
                "playground_dns",
                "update",
                (
                    AttributeChange(
                        "policy",
                        '"{"…',
                        '"{"…',
                        detail=(
                            "~ policy (JSON)",
                            '    + Statement[3].Action[12] = "iam:*"',
                            "      … 57 unchanged values",
                        ),
                        omitted=3,
                    ),
                    AttributeChange("ttl", "60", "300"),
                ),
            ),
            ResourceChange(
                "playground_server.web[0]",
                "playground_server",
                "create",
                (AttributeChange("size", "", '"m"'),),
            ),
            ResourceChange("playground_server.web[1]", "playground_server", "create"),
        ),
        drift=(
            ResourceChange(
                "playground_dns.www", "playground_dns", "update", (AttributeChange("ttl", "90", "60"),)
            ),
        ),
        outputs=(AttributeChange("url", "", '"https://www.example.com"'),),
        terraform_version="1.15.5",
        pages=1,
    )


def page(environment: str) -> str:
    """The address of the page of an environment's plan."""
    return f"https://towpath.example.com/plans/plan-{environment}?key=0123456789abcdef01234567"


def plan(where: Target, content: PlanSummary | None = None, pull: int = 12, **changes: object) -> Plan:
    content = summary() if content is None else content
    made = Plan(
        id=f"plan-{where.environment}",
        run_id=f"run-{where.environment}",
        target=where,
        pull=pull,
        commit=HEAD,
        base_commit="0" * 40,
        digest="d" * 64,
        policy="p",
        engine="terraform 1.15.5",
        lineage="l",
        serial=4,
        tree="t",
        worktree="/data/worktrees/1",
        root="infra",
        has_changes=not content.empty,
        summary=content.to_dict(),
        backend={},
        created_at=NOW - timedelta(minutes=3),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def run(where: Target, **changes: object) -> Run:
    made = Run(
        id=f"run-{where.environment}",
        kind="plan",
        target=where,
        pull=12,
        commit=HEAD,
        actor=ANN,
        phase="finished",
        outcome="planned",
        plan_id=f"plan-{where.environment}",
        created_at=NOW - timedelta(minutes=4),
        started_at=NOW - timedelta(minutes=4),
        finished_at=NOW - timedelta(minutes=3, seconds=48),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def lock(where: Target, pull: int = 9, reason: str = "the database moves today", actor: Actor = BOB) -> Lock:
    return Lock(
        where,
        actor,
        NOW - timedelta(hours=5),
        pull,
        reason,
        f"{URL}/{pull}" if pull else "",
        NOW + timedelta(hours=19),
    )
