from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.policy.loader import EXAMPLE, PolicyError, parse_policy
from bot.domain.policy.model import Policy
from bot.domain.policy.toml_text import LARGEST

ENVS = Path(__file__).parents[3] / "envs"
SOURCE = "envs/environments.toml"
STACK = '[stack.infra]\nroot = "infra"\n'


def read(text: str) -> Policy:
    return parse_policy(text, SOURCE)


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(PolicyError) as caught:
        read(text)
    return caught.value.problems


def only(text: str) -> str:
    (problem,) = problems(text)
    return problem


def test_the_shipped_example_is_a_policy() -> None:
    policy = read((ENVS / "environments.toml").read_text())
    assert list(policy.environments) == ["dev", "ci", "test", "staging", "prod"]
    assert policy.environments["prod"].soak == timedelta(minutes=15)
    assert policy.environments["test"].instance_for(42) == "pr-42"
    assert policy.key("infra", "prod") == "prod/terraform.tfstate"
    for name in policy.environments:
        for path in policy.var_files("infra", name):
            assert (ENVS.parent / path).is_file()


def test_the_example_of_the_error_is_a_policy() -> None:
    assert list(read(EXAMPLE).environments) == ["staging", "prod"]


def test_the_well_known_names_have_their_meaning_by_default() -> None:
    policy = read(
        STACK + "".join(f"[env.{name}]\n" for name in ("dev", "ci", "test", "staging", "prod", "other"))
    )
    have = {
        name: (env.local, env.on_pull_request, env.production) for name, env in policy.environments.items()
    }
    assert have == {
        "dev": (True, "", False),
        "ci": (False, "plan", False),
        "test": (False, "", False),
        "staging": (False, "plan", False),
        "prod": (False, "", True),
        "other": (False, "", False),
    }


def test_what_the_file_says_wins_over_a_default() -> None:
    policy = read(
        STACK + '[env.dev]\nlocal = false\n[env.ci]\non_pull_request = ""\n[env.prod]\nproduction = false\n'
    )
    assert not policy.environments["dev"].local
    assert policy.environments["ci"].on_pull_request == ""
    assert not policy.environments["prod"].production


@pytest.mark.parametrize(
    ("text", "length"),
    [("90s", 90), ("15m", 900), ("72h", 259_200), ("2d", 172_800)],
)
def test_durations(text: str, length: int) -> None:
    policy = read(f'{STACK}[env.staging]\ntimeout = "{text}"\n')
    assert policy.environments["staging"].timeout == timedelta(seconds=length)


def test_every_problem_is_told_with_its_line() -> None:
    text = """\
brances = ["main"]
[stack.infra]
root = "../elsewhere"
when_modified = ["infra/**", "../x"]
[stack.infra.backend]
kid = "s3"

[env.staging]
on_pull_request = "pan"
timeout = "15x"
smoke = [
  { http = "{output.url}/healthz", status = 200 },
  { http = "{output.url}/healthz", statsu = 200 },
]

[env.prod]
promote_from = "stagin"
freez = []
approvals = { count = "two", codeowner = true }
"""
    assert problems(text) == (
        f"{SOURCE} line 1: unknown key `brances`; did you mean `branches`?",
        f"{SOURCE} line 3: `root` must be a path inside the repository, relative to its root",
        f"{SOURCE} line 4: `when_modified` item 2 must be a path inside the repository, relative to its root",
        f"{SOURCE} line 6: unknown key `kid` in [stack.infra.backend]; did you mean `kind`?",
        f'{SOURCE} line 9: `on_pull_request` must be "", "plan", "verify" or "apply"; did you mean `plan`?',
        f'{SOURCE} line 10: `timeout` must be a duration such as "90s", "15m", "72h" or "2d"',
        f"{SOURCE} line 11: unknown key `statsu` in `smoke` item 2; did you mean `status`?",
        f"{SOURCE} line 17: there is no environment `stagin`; did you mean `staging`?",
        f"{SOURCE} line 18: unknown key `freez` in [env.prod]; did you mean `freeze`?",
        f"{SOURCE} line 19: unknown key `codeowner` in [env.prod.approvals]; did you mean `codeowners`?",
        f"{SOURCE} line 19: `count` must be a whole number from 0 to 20",
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there is no `[stack.…]` table"),
        (STACK, "there is no `[env.…]` table"),
        ("[env.prod]\n", "there is no `[stack.…]` table"),
        ("[stack.infra]\n[env.prod]\n", "line 1: `[stack.infra]` has no `root`"),
        ("stack = 3\n[env.prod]\n", "line 1: `stack` must be tables such as `[stack.infra]`"),
        (STACK + "[env]\nprod = 3\n", "line 4: `env.prod` must be a table: `[env.prod]`"),
        (
            STACK + '[env."Prod Eu"]\n',
            "line 3: `Prod Eu` is not a valid name: use at most 40 lowercase letters",
        ),
        (STACK + '[env.ci]\ninstance = "pr"\n', "line 4: `instance` must contain {pr}"),
        (STACK + '[env.ci]\ninstance = "pr-{pull}-{pr}"\n', "may use {pr}, not {pull}"),
        (STACK + '[env.ci]\nurl = "ftp://x"\n', "must begin with https://"),
        (STACK + '[env.ci]\non_pull_request = "verify"\n', "so it needs `instance`"),
        (STACK + '[env.ci]\nttl = "2h"\n', "so it needs `instance`"),
        (STACK + '[env.prod]\nsoak = "2h"\n', "so it needs `promote_from`"),
        (STACK + '[env.prod]\npromote_from = "prod"\n', "cannot be promoted from itself"),
        (STACK + '[env.dev]\n[env.prod]\npromote_from = "dev"\n', "`dev` is local"),
        (
            STACK + '[env.a]\npromote_from = "b"\n[env.b]\npromote_from = "a"\n',
            "line 4: promotion cycle: a ← b ← a",
        ),
        (
            STACK + "[env.prod]\nsmoke = [{ status = 200 }]\n",
            "`smoke` item 1 needs exactly one of `http`, `tcp` and `command`",
        ),
        (STACK + "[env.prod]\nsmoke = [{ http = 3 }]\n", "`smoke` item 1: `http` must be a string"),
        (
            STACK + '[env.prod]\nfreeze = [{ deny = "0 17 * *", for = "1h" }]\n',
            "`deny` must be a cron expression of five fields",
        ),
        (STACK + '[env.prod]\nfreeze = [{ deny = "0 17 * * 5" }]\n', "`freeze` item 1 has no `for`"),
        (STACK + '[env.prod]\nsecrets_prefix = "prod-"\n', "uppercase letters"),
        (STACK + '[env.prod]\nvar_files = ["/etc/passwd"]\n', "inside the repository"),
        (STACK + '[env.prod]\nsettings = ["AWS-REGION"]\n', 'the name of a variable, such as "AWS_REGION"'),
        (STACK + '[env.prod]\nsettings = "AWS_REGION"\n', "a list of at most 200 names of variables"),
        (STACK + "[env.prod]\nsetings = []\n", "did you mean `settings`?"),
        (
            'settings = ["TEAM", "AWS_SECRET_ACCESS_KEY"]\n' + STACK + "[env.prod]\n",
            "line 1: `settings` item 2 names `AWS_SECRET_ACCESS_KEY`, which is called like a secret",
        ),
        (STACK + '[env.prod]\nsettings = ["TF_VAR_db_password"]\n', "secrets are always redacted"),
        (STACK + "[env.prod]\nparallelism = true\n", "whole number"),
        (STACK + "[env.prod]\nlocal = 1\n", "must be true or false"),
        (
            STACK + 'environments = ["prd"]\n[env.prod]\n',
            "there is no environment `prd`; did you mean `prod`?",
        ),
        (
            STACK + '[stack.infra.backend]\nkey = "{stack}.tfstate"\n[env.ci]\n[env.prod]\n',
            "would share one state",
        ),
        ("[stack.infra\n", "line 1: not valid TOML"),
        ("a = 1\na = 2\n", "line 2: not valid TOML"),
        ("a = " + "[" * 100_000, "nested too deeply"),
        (STACK + "x = " + "[" * 20 + "]" * 20, "nested more than 8 levels"),
        ("x." * 50_000 + "y = 1", "a key with more than eight parts"),
        ("# " + "x" * LARGEST, "larger than 256 KB"),
    ],
)
def test_what_is_wrong_is_said(text: str, says: str) -> None:
    assert says in only(text)


def test_states_stay_apart_by_key_bucket_or_workspace() -> None:
    backend = '[stack.infra.backend]\nkey = "one.tfstate"\n'
    policy = read(STACK + backend + '[env.ci]\ninstance = "ci-{pr}"\n[env.test]\ninstance = "test-{pr}"\n')
    assert policy.key("infra", "ci") == policy.key("infra", "test")
    shared = STACK + backend + '[env.ci]\ninstance = "pr-{pr}"\n[env.test]\ninstance = "pr-{pr}"\n'
    assert "ci/infra and test/infra would share one state" in only(shared)
    buckets = "".join(
        f'[stack.{name}]\nroot = "{name}"\n[stack.{name}.backend]\nbucket = "{name}"\nkey = "{{env}}"\n'
        for name in ("one", "two")
    )
    assert read(buckets + "[env.prod]\n").key("one", "prod") == "prod"
    assert "would share" in only(buckets.replace('"two"\nkey', '"one"\nkey') + "[env.prod]\n")


def test_a_stack_lives_only_where_it_says() -> None:
    text = (
        STACK
        + '[stack.infra.backend]\nkey = "one"\n[stack.more]\nroot = "more"\nenvironments = ["prod"]\n[env.prod]\n'
    )
    assert [env.name for env in read(text).environments_of(read(text).stacks["more"])] == ["prod"]


def test_thousands_of_problems_are_counted_and_not_all_told() -> None:
    with pytest.raises(PolicyError) as caught:
        read("\n".join(f"key{index} = 1" for index in range(20_000)))
    assert len(caught.value.what) < 5_000
    assert "more" in caught.value.what


_WORDS = st.sampled_from(
    [
        "stack",
        "env",
        "infra",
        "prod",
        "root",
        "smoke",
        "freeze",
        "approvals",
        "instance",
        "ttl",
        "backend",
        "key",
        "http",
        "{pr}",
        "=",
    ]
)
_VALUES = st.recursive(
    st.one_of(
        st.sampled_from(['"x"', "1", "true", "1.5", "nan", "2020-01-01", '"{pr}"', '"15m"', "''"]),
        _WORDS.map('"{}"'.format),
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.lists(
            st.tuples(_WORDS.filter(str.isalpha), inner), max_size=2, unique_by=lambda pair: pair[0]
        ).map(lambda items: "{" + ", ".join(f"{key} = {value}" for key, value in items) + "}")
    ),
    max_leaves=6,
)
_LINES = st.one_of(
    st.lists(_WORDS.filter(str.isalpha), min_size=1, max_size=3).map(lambda parts: f"[{'.'.join(parts)}]"),
    st.tuples(_WORDS.filter(str.isalpha), _VALUES).map(lambda pair: f"{pair[0]} = {pair[1]}"),
    st.text(max_size=20),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_LINES, max_size=8).map("\n".join))
def test_whatever_the_text_is_it_is_a_policy_or_a_policy_error(text: str) -> None:
    try:
        policy = parse_policy(text, SOURCE)
    except PolicyError:
        return
    for stack in policy.stacks:
        for env in policy.environments:
            assert policy.digest(stack, env)


@pytest.mark.parametrize(
    "text",
    [
        '[stack.infra]\nroot = "infra"\n[env.prod]\n[env.prod-eu]\n',
        '[stack.infra]\nroot = "infra"\n[env.staging]\nsecrets_prefix = "PROD_"\n[env.prod]\n',
    ],
)
def test_no_environment_sees_the_secrets_of_another(text: str) -> None:
    with pytest.raises(PolicyError, match="would also see the secrets of"):
        parse_policy(text, "environments.toml")


@pytest.mark.parametrize(
    ("sleep", "says"),
    [
        ('{ after = "2h" }', "needs `var_files`"),
        ('{ after = "2h", var_files = ["../a.tfvars"] }', "`var_files` item 1"),
        (
            '{ var_files = ["a.tfvars"], command = "a", wake_command = "b" }',
            "either `var_files` or `command`, not both",
        ),
        ('{ command = "a" }', "has `command` but no `wake_command`"),
        ('{ wake_command = "b" }', "add `command`"),
        ('{ command = "a \'", wake_command = "b" }', "a command whose quotes are closed"),
        ('{ command = "a", wake_comand = "b" }', "`wake_command`?"),
    ],
)
def test_sleep_is_var_files_or_two_commands(sleep: str, says: str) -> None:
    assert says in problems(f'{STACK}[env.test]\ninstance = "pr-{{pr}}"\nsleep = {sleep}\n')[0]
