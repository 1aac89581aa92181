"""Typical results, and hostile ones."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from bot.domain.chat import (
    CommandHelp,
    Help,
    History,
    InternalError,
    LinkCode,
    Locked,
    Notice,
    Result,
    RunsStarted,
    StateComparison,
    Status,
    TargetStatus,
    Unlocked,
)
from bot.domain.lock import Waiter
from bot.domain.plans import SENSITIVE, AttributeChange, PlanSummary, ResourceChange
from bot.domain.policy.model import Environment
from bot.domain.refusal import Refused
from bot.domain.release import Release
from bot.domain.states.diff import StateDiff
from bot.domain.states.model import StateVersion
from tests.unit.render import drifts, exports, failures, parities, secrets
from tests.unit.render.approvals import asked, guarded
from tests.unit.render.facts import (
    ANN,
    BOB,
    CAROL,
    HEAD,
    NASTY,
    NOW,
    PULL,
    REPOSITORY,
    URL,
    lock,
    page,
    plan,
    run,
    target,
)


def status() -> Status:
    ci, test = target("ci", instance="pr-12"), target("test", instance="pr-12")
    staging, prod = target("staging"), target("prod")
    applying = run(
        staging,
        id="run-apply",
        kind="apply",
        phase="applying",
        outcome=None,
        finished_at=None,
        progress={
            "playground_server.old": {"state": "done", "action": "delete", "elapsed": 2.0},
            "playground_dns.www": {"state": "done", "action": "update", "elapsed": 1.0},
            "playground_server.web[0]": {"state": "progress", "action": "create", "elapsed": 12.0},
        },
    )
    failed = run(
        test,
        kind="apply",
        outcome="failed",
        message="Error: quota of servers exceeded\n\n  on infra/main.tf line 12",
        next_step="Request more quota, then run `/plan test`.",
        reference="T-7K3M9Q",
    )
    rows = (
        TargetStatus(
            ci,
            Environment("ci", "plan", instance="pr-{pr}"),
            12,
            plan(ci, PlanSummary()),
            run=run(ci),
            release=Release("r1", ci, "run-0", "d", HEAD, 12, ANN, 3, NOW),
        ),
        TargetStatus(
            test,
            Environment("test", "apply", instance="pr-{pr}", url="https://pr-{pr}.test.example.com"),
            12,
            plan(test),
            run=failed,
            release=Release("r2", test, "run-0", "d", HEAD, 12, ANN, 3, NOW),
            next_step="/plan test",
        ),
        TargetStatus(
            staging,
            Environment("staging", "plan"),
            12,
            plan(staging, status="applying"),
            run=applying,
            active_run=applying,
            lock=lock(staging, 12, "", ANN),
            waiters=(Waiter(staging, 14, BOB, NOW),),
        ),
        TargetStatus(
            prod,
            Environment("prod", "plan", production=True),
            12,
            plan(prod, PlanSummary(add=1, changes=(ResourceChange("playground_server.web", "x", "create"),))),
            run=run(prod),
            next_step="/apply prod",
        ),
    )
    links = {
        "run-apply": "https://towpath.example.com/runs/run-apply",
        "run-test": "https://towpath.example.com/runs/run-test",
    }
    pages = {
        row.plan.id: page(row.target.environment) for row in rows if row.plan and row.plan.summary["pages"]
    }
    note = "The policy on this branch differs from `main`; `main` counts."
    return Status(REPOSITORY, rows, PULL, (note,), NOW, links, plans=pages)


NEW_PROVIDER = (
    "This pull request adds the provider `acme/evil` from `registry.example.com`, a registry that `main` does not use "
    "(`infra/main.tf line 3`)."
)


def quiet() -> Status:
    """One environment each that is ready, locked, stale, unplanned, applied, and up to date."""
    made = []
    for name in ("ready", "locked", "stale", "unplanned", "applied", "unchanged"):
        where = target("prod", name)
        made.append(
            TargetStatus(
                where,
                Environment("prod"),
                12,
                plan=None
                if name == "unplanned"
                else plan(
                    where,
                    PlanSummary() if name == "unchanged" else None,
                    status="applied" if name == "applied" else "fresh",
                ),
                stale="This plan is older than 24 h." if name == "stale" else "",
                lock=lock(where) if name == "locked" else None,
                release=Release("r", where, "run", "d" * 64, HEAD, 12, ANN, 3, NOW)
                if name == "applied"
                else None,
                next_step={"ready": "/apply prod ready", "stale": "/plan prod stale"}.get(name, ""),
            )
        )
    return Status(REPOSITORY, tuple(made), PULL, (), NOW)


def of_repository() -> Status:
    staging, prod = target("staging"), target("prod")
    return Status(
        REPOSITORY,
        (
            TargetStatus(
                staging,
                Environment("staging"),
                release=Release("r", staging, "run", "d", HEAD, 9, BOB, 3, NOW),
            ),
            TargetStatus(prod, Environment("prod"), lock=lock(prod, 0, "audit", CAROL)),
        ),
        now=NOW,
    )


APPLY = CommandHelp(
    "apply",
    "<env> [stack]",
    "Apply the reviewed plan",
    "Applies exactly the saved plan for the latest commit.\n- Takes the lock.\n- Never plans again.",
    ("/apply staging", "/apply prod network"),
    "write",
)
STATUS = CommandHelp(
    "status", "[env]", "Show all environments", "Shows every environment.", (), "read", ("wcid",)
)


def results() -> dict[str, Result]:
    staging, prod = target("staging"), target("prod")
    version = StateVersion("v", staging.key, 5, "l", "a" * 64, 5321, 12, "run-1", HEAD, "@ann", NOW)
    return {
        "refused": Refused("no-plan", "There is no plan for prod yet.", "`/plan prod`"),
        "refused_lines": Refused(
            "policy",
            "The policy has 2 problems.\n- envs/environments.toml line 4: unknown key `freez`\n- envs/environments.toml line 9: circular promotion",
            "Correct the file on the default branch.",
        ),
        "refused_caret": Refused(
            "grammar",
            "`<env>` is missing.\n    /apply\n           ^",
            "Usage: `/apply <env> [stack]`",
        ),
        "refused_lock": Refused(
            "locked",
            f"prod is locked by [#9]({URL}/9) (@bob) since 2026-11-22 09:03 UTC: {NASTY}.",
            "It is released when #9 is merged or closed, or when @bob runs `/unlock prod`.",
        ),
        "faulted": InternalError("T-7K3M9Q"),
        "noted": Notice("You are linked to @ann.", tone="good"),
        "noted_slack": Notice("<@U0CAROL> is not linked.", "`/link`", "warning"),
        "started": RunsStarted((run(staging, phase="queued", outcome=None),), {}),
        "started_many": RunsStarted(
            (run(staging, phase="queued"), run(prod, phase="queued")),
            {prod.key: run(prod, kind="apply", pull=9, actor=BOB)},
        ),
        "started_none": RunsStarted((), {}),
        "help": Help((APPLY, STATUS)),
        "help_one": Help((APPLY, STATUS), APPLY),
        "help_alias": Help((APPLY, STATUS), STATUS),
        "status": status(),
        "status_quiet": quiet(),
        "status_new_provider": replace(quiet(), targets=quiet().targets[:1], warnings=(NEW_PROVIDER,)),
        "status_repository": of_repository(),
        "status_empty": Status(REPOSITORY, (), PULL, ("This pull request touches no stack.",), NOW),
        **asked(),
        "status_guarded": guarded(),
        "history": History(
            staging, (version, replace(version, serial=4, run_id="", commit="", actor="", size=80)), more=True
        ),
        "history_empty": History(staging, ()),
        "history_damaged": History(
            staging,
            (
                replace(version, serial=6, outputs=1, release="r6", reverts="r4"),
                replace(version, id="w", outputs=3, release="r5"),
            ),
            releases={
                "r6": Release("r6", staging, "run-1", "d", HEAD, 12, ANN, 6, NOW, verification="passed"),
                "r5": Release("r5", staging, "run-1", "d", HEAD, 12, ANN, 5, NOW, verification="failed"),
            },
            damaged=frozenset(["w"]),
        ),
        "difference": StateComparison(
            staging,
            replace(version, serial=4, actor="", commit=""),
            version,
            StateDiff(
                (
                    ResourceChange("x.gone", "x", "delete", (AttributeChange("id", '"1"', ""),)),
                    ResourceChange("x.new", "x", "create", (AttributeChange("id", "", '"2"'),)),
                    ResourceChange(
                        "x.other",
                        "x",
                        "update",
                        (
                            AttributeChange("tags.env", '"a"', json.dumps(NASTY)),
                            AttributeChange("password", SENSITIVE, SENSITIVE),
                        ),
                    ),
                ),
                (AttributeChange("url", '"http://a"', '"http://b"'),),
            ),
        ),
        "difference_none": StateComparison(staging, replace(version, serial=4), version, StateDiff()),
        **drifts.results(),
        **parities.results(),
        **failures.results(),
        **exports.results(),
        **secrets.results(),
        "locked": Locked(lock(prod, 0)),
        "unlocked": Unlocked(prod, "@bob", (14, 15)),
        "link_code": LinkCode("K3M9Q7XY", "/link K3M9Q7XY", "github", NOW + timedelta(minutes=10)),
    }


def hostile(text: str, stacks: int = 20, changes: int = 5000) -> Status:
    """Many environments with large plans, every text in them `text`."""
    many = PlanSummary(
        add=changes,
        destroy=changes,
        replace=changes,
        changes=tuple(
            ResourceChange(
                f"x.y[{index}]{text[:300]}", "x", "replace", (AttributeChange("a", text[:500], text[:500]),)
            )
            for index in range(changes)
        ),
    ).to_dict()
    rows = []
    for stack in range(stacks):
        for name in ("dev", "ci", "test", "staging", "prod"):
            where = target(name, f"s{stack}")
            rows.append(
                TargetStatus(
                    where,
                    Environment(name, url=f"https://x.example.com/{text[:50]}"),
                    12,
                    replace(plan(where), summary=many if stack == 0 else {}),
                    stale=text,
                    run=run(
                        where,
                        kind="apply",
                        outcome="failed",
                        message=text,
                        next_step=text,
                        reference="T-7K3M9Q",
                    ),
                    lock=lock(where, 0, text),
                    next_step="/plan staging",
                )
            )
    return Status(REPOSITORY, tuple(rows), replace(PULL, title=text), (text,) * 3, NOW)
