"""The keys of the policy that production is made of."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.policy.freeze_windows import Window
from bot.domain.policy.model import Environment
from bot.domain.policy.schema import ApprovalRules, Force
from tests.unit.domain.test_policy_file import SOURCE, STACK, only, problems, read

DAY = timedelta(hours=24)


def prod(text: str) -> Environment:
    return read(f"{STACK}[env.staging]\n[env.prod]\n{text}\n").environments["prod"]


def wrong(text: str) -> str:
    """The one problem of prod's only key, which is on line 5."""
    said = only(f"{STACK}[env.staging]\n[env.prod]\n{text}\n")
    assert said.startswith(f"{SOURCE} line 5: ")
    return said.removeprefix(f"{SOURCE} line 5: ")


# approvals


@pytest.mark.parametrize(
    ("text", "consent"),
    [
        ("", ApprovalRules()),
        ("production = false", None),
        ("approvals = {}", ApprovalRules()),
        ("production = false\napprovals = {}", None),
        ("production = false\napprovals = { count = 1 }", ApprovalRules()),
        ("approvals = { count = 0 }", None),
        ("approvals = { count = 0, codeowners = true }", ApprovalRules(count=0, codeowners=True)),
        ("approvals = { codeowners = true }", ApprovalRules(codeowners=True)),
        ("approvals = { self = true, expires = '90m' }", ApprovalRules(self_approval=True, expires=DAY / 16)),
        (
            "approvals = { count = 2, teams = ['acme/web', '@acme/ops'], users = ['ann', '@Bob', 'eve_acme'] }",
            ApprovalRules(count=2, teams=("acme/web", "acme/ops"), users=("ann", "Bob", "eve_acme")),
        ),
    ],
)
def test_whose_consent_is_asked(text: str, consent: ApprovalRules | None) -> None:
    assert prod(text).approval_rules == consent
    assert prod(text).guarded == (consent is not None)


@pytest.mark.parametrize(
    ("text", "takes"),
    [
        ("", False),
        ("production = false", True),
        ("approvals = { count = 0 }", True),
        ('approvals = { count = 0 }\npromote_from = "staging"', False),
        ('production = false\nfreeze = [{ deny = "0 17 * * 5", for = "1h" }]', False),
        ('production = false\nfreeze = [{ deny = "0 17 * * 5", for = "1h", actions = ["plan"] }]', True),
        ("laptop = true", True),
        ("production = false\nlaptop = false", False),
    ],
)
def test_laptops_change_what_nothing_guards_or_what_the_policy_gives_them(text: str, takes: bool) -> None:
    assert prod(text).takes_laptops == takes


def test_laptop_is_a_flag_and_spelled_so() -> None:
    assert wrong("laptop = 'ann'") == "`laptop` must be true or false"
    assert "did you mean `laptop`?" in wrong("laptops = true")


def test_what_is_promoted_is_guarded_without_approvals() -> None:
    env = prod('promote_from = "staging"\napprovals = { count = 0 }')
    assert env.approval_rules is None
    assert env.guarded
    assert not Environment("staging").guarded
    assert Environment("live", production=True).guarded


@pytest.mark.parametrize(
    ("inner", "says"),
    [
        ("count = -1", "`count` must be a whole number from 0 to 20"),
        ("count = 21", "`count` must be a whole number from 0 to 20"),
        ("count = true", "`count` must be a whole number from 0 to 20"),
        ("teams = ['platform']", '`teams` item 1 must be a team such as "acme/platform"'),
        ("teams = ['@platform']", '`teams` item 1 must be a team such as "acme/platform"'),
        ("teams = ['a/b/c']", '`teams` item 1 must be a team such as "acme/platform"'),
        ("teams = 'acme/web'", "`teams` must be a list of at most 200 teams"),
        ("users = ['acme/web']", '`users` item 1 must be a login such as "ann"'),
        ("users = ['@@ann']", '`users` item 1 must be a login such as "ann"'),
        ("self = 'no'", "`self` must be true or false"),
        ("expires = '0s'", "`expires` must be greater than zero"),
        ("expires = 24", '`expires` must be a duration such as "90s", "15m", "72h" or "2d"'),
        ("user = ['ann']", "unknown key `user` in [env.prod.approvals]; did you mean `users`?"),
        (
            "count = 0, users = ['ann']",
            "`approvals` names approvers, but `count = 0` asks for none of them",
        ),
        ("count = 3, users = ['ann', 'Bob', 'bob']", "`approvals` requires 3 people but names only 2"),
    ],
)
def test_approvals_that_cannot_be_meant(inner: str, says: str) -> None:
    assert wrong(f"approvals = {{ {inner} }}") == says


def test_a_team_may_have_as_many_people_as_are_needed() -> None:
    assert prod("approvals = { count = 3, users = ['ann'], teams = ['acme/web'] }").approval_rules


def test_approvals_are_a_table() -> None:
    assert wrong("approvals = 2") == "`approvals` must be a table such as `{ count = 1, self = false }`"


# break-glass and plans


def test_who_may_break_the_glass() -> None:
    assert prod("force = { users = ['@ann'], teams = ['acme/ops'] }").force == Force(
        users=("ann",), teams=("acme/ops",)
    )
    assert not prod("").force
    assert wrong("force = ['ann']") == '`force` must be a table such as `{ users = ["ann"] }`'
    assert wrong("force = { team = ['acme/ops'] }") == (
        "unknown key `team` in [env.prod.force]; did you mean `teams`?"
    )
    assert wrong("force = { teams = ['ops'] }") == '`teams` item 1 must be a team such as "acme/platform"'


def test_what_a_plan_needs() -> None:
    assert prod("").plan_needs == "write"
    assert prod('plan_needs = "approval"').plan_needs == "approval"
    assert wrong('plan_needs = "maintian"') == (
        '`plan_needs` must be "write", "maintain" or "approval"; did you mean `maintain`?'
    )


# freeze


def test_windows() -> None:
    text = (
        "freeze = [{ deny = '0 17 * * FRI', for = '64h', time_zone = 'Europe/Berlin', reason = 'weekend' },"
        "{ allow = '0 9 * * *', for = '8h', actions = ['plan', 'apply'] }]"
    )
    assert prod(text).windows == (
        Window("deny", "0 17 * * FRI", timedelta(hours=64), "Europe/Berlin", "weekend"),
        Window("allow", "0 9 * * *", timedelta(hours=8), actions=("plan", "apply")),
    )


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (
            "deny = '0 17 * *'",
            "`freeze` item 1: `deny` must be a cron expression of five fields that matches some date",
        ),
        (
            "deny = '0 0 30 2 *'",
            "`freeze` item 1: `deny` must be a cron expression of five fields that matches some date",
        ),
        (
            "deny = '61 0 * * *'",
            "`freeze` item 1: `deny` must be a cron expression of five fields that matches some date",
        ),
        (
            "deny = '0 0 0 * * *'",
            "`freeze` item 1: `deny` must be a cron expression of five fields that matches some date",
        ),
        (
            "allow = '@daily'",
            "`freeze` item 1: `allow` must be a cron expression of five fields that matches some date",
        ),
        ("deny = '0 0 * * *', time_zone = 'Europe/Berlln'", "did you mean `Europe/Berlin`?"),
        ("deny = '0 0 * * *', time_zone = 'Europe'", "`freeze` item 1: `time_zone` must be a time zone"),
        ("deny = '0 0 * * *', time_zone = '../etc'", "`freeze` item 1: `time_zone` must be a time zone"),
        ("deny = '0 0 * * *', actions = ['aply']", "did you mean `apply`?"),
        (
            "deny = '0 0 * * *', actions = []",
            "`freeze` item 1: `actions` must be a list of 1 to 200 actions",
        ),
        (
            "deny = '0 0 * * *', action = ['apply']",
            "unknown key `action` in `freeze` item 1; did you mean `actions`?",
        ),
        (
            "deny = '0 0 * * *', allow = '0 0 * * *'",
            "`freeze` item 1 needs exactly one of `deny` and `allow`",
        ),
        ("reason = 'x'", "`freeze` item 1 needs exactly one of `deny` and `allow`"),
    ],
)
def test_windows_that_cannot_be_meant(entry: str, says: str) -> None:
    assert says in wrong(f"freeze = [{{ for = '1h', {entry} }}]")


# smoke


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("tcp = 'a:1', contains = 'ok'", "`smoke` item 1 has `contains`, which only works with `http`"),
        ("command = 'true', status = 200", "`smoke` item 1 has `status`, which only works with `http`"),
        (
            "command = []",
            "`smoke` item 1: `command` must be a command whose quotes are closed, or a list of its words",
        ),
        (
            'command = "echo \'x"',
            "`smoke` item 1: `command` must be a command whose quotes are closed, or a list of its words",
        ),
        (
            "http = 'https://x', status = []",
            "`smoke` item 1: `status` must be an HTTP status, or a list of them",
        ),
        (
            "http = 'https://x', tcp = 'a:1'",
            "`smoke` item 1 needs exactly one of `http`, `tcp` and `command`",
        ),
    ],
)
def test_checks_that_cannot_be_meant(entry: str, says: str) -> None:
    assert says in wrong(f"smoke = [{{ {entry} }}]")


# promotion over several tables


def whole(staging: str, live: str, stacks: str = STACK) -> str:
    return f'{stacks}[env.staging]\n{staging}\n[env.prod]\npromote_from = "staging"\n{live}\n'


def test_of_an_instance_for_each_pull_request_its_own_is_promoted() -> None:
    policy = read(whole('instance = "pr-{pr}"\nttl = "72h"', 'soak = "1h"'))
    stage = policy.target("acme/infra", "infra", policy.environments["prod"].promote_from, 42)
    assert stage.instance == "pr-42"
    assert policy.target("acme/infra", "infra", "prod", 42).instance == ""
    assert read(whole("", 'instance = "pr-{pr}"')).environments["prod"].promote_from == "staging"


def test_what_does_not_live_long_enough_promotes_nothing() -> None:
    verify = 'instance = "pr-{pr}"\non_pull_request = "verify"'
    assert only(whole(verify, "")).endswith(
        "line 7: `staging` destroys what it verifies, so nothing can be promoted from it"
    )
    short = only(whole('instance = "pr-{pr}"\nttl = "1h"', 'soak = "1h"'))
    assert short.endswith(
        "line 8: `staging` is destroyed after its `ttl`, which must be longer than this `soak`"
    )


def test_a_stack_that_is_promoted_lives_in_the_stage_before() -> None:
    narrow = STACK + 'environments = ["prod"]\n'
    assert only(whole("", "", narrow)).endswith(
        "line 3: `prod` is promoted from `staging`, but stack `infra` is not in `staging`; add it to "
        "`environments`"
    )
    assert read(whole("", "", STACK + 'environments = ["staging"]\n'))
    assert read(whole("", "", STACK + 'environments = ["staging", "prod"]\n'))


def test_a_soak_needs_no_checks() -> None:
    assert read(whole("", 'soak = "15m"')).environments["prod"].soak == timedelta(minutes=15)


def test_every_problem_of_production_is_told_at_once() -> None:
    text = whole(
        'on_pull_request = "verify"\ninstance = "pr-{pr}"',
        "approvals = { count = 2, users = ['ann'] }\nforce = { user = [] }\nfreeze = [{ for = '1h' }]",
    )
    assert [line.split(": ")[0].rpartition(" ")[2] for line in problems(text)] == ["7", "8", "9", "10"]
