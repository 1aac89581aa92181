"""Whatever the values of a policy are, the loader returns a policy or raises PolicyError in our own words."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.policy.identity import (
    AwsIdentity,
    AzureIdentity,
    GoogleIdentity,
    Identity,
    ServiceIdentity,
)
from bot.domain.policy.loader import PolicyError, parse_policy
from bot.domain.policy.model import PATH, BackendPolicy, Environment, Stack
from bot.domain.policy.schema import ApprovalRules, Force, FreezeRule, SmokeCheck
from tests.unit.domain.test_policy_file import SOURCE, STACK, only, problems, read

FOREIGN = re.compile(
    r"Input should|Extra inputs|[Uu]nexpected|argument|pydantic|value_error|is not valid$|Error"
)
"""What pydantic would say, and what is said of an error that has no sentence."""

SCALARS = st.one_of(
    st.sampled_from(
        [
            *(
                "true",
                "false",
                "-1",
                "0",
                "1",
                "200",
                "1.5",
                "nan",
                "-inf",
                "99999999999999999999",
                '""',
                '" "',
            ),
            *(
                "2020-01-01",
                "07:30:00",
                "2020-01-01T07:30:00Z",
                '"x"',
                '"a\\nb"',
                '"{pr}"',
                '"{bad}"',
                '"../x"',
            ),
            *(
                '"15m"',
                '"0s"',
                '"plan"',
                '"staging"',
                '"0 17 * * 5"',
                '"0 0 30 2 *"',
                '"Europe/Berlin"',
                '"@ann"',
            ),
            *('"acme/web"', '"https://x"', '"a:1"', '"PROD_"', '"http"', '"/**"', "'echo \"x'", '"999999d"'),
        ]
    ),
    st.text(max_size=12).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.integers().map(str),
)


def table(values: st.SearchStrategy[str], keys: list[str]) -> st.SearchStrategy[str]:
    some = st.dictionaries(st.sampled_from([*keys, "name", "extra", "self_approval"]), values, max_size=5)
    return some.map(lambda one: "{ " + ", ".join(f"{key} = {value}" for key, value in one.items()) + " }")


def keys_of(kind: type[Any]) -> list[str]:
    if hasattr(kind, "model_fields"):
        return [field.alias or name for name, field in kind.model_fields.items()]
    return [field.name for field in fields(kind)]


INNER = [keys_of(kind) for kind in (SmokeCheck, FreezeRule, ApprovalRules, Force, BackendPolicy)]
CLOUDS = st.one_of(
    *(table(SCALARS, keys_of(kind)) for kind in (AwsIdentity, GoogleIdentity, AzureIdentity, ServiceIdentity))
)
VALUES = st.recursive(
    st.one_of(
        SCALARS,
        *(table(SCALARS | st.just("[]"), keys) for keys in INNER),
        table(SCALARS | CLOUDS, [*keys_of(Identity), "vault"]),
    ),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
    max_leaves=4,
)


def section(header: str, kind: type[Any]) -> st.SearchStrategy[str]:
    given = st.dictionaries(st.sampled_from(keys_of(kind)), VALUES, max_size=6)
    return given.map(lambda one: header + "".join(f"\n{key} = {value}" for key, value in one.items()))


POLICIES = st.tuples(
    st.just("") | VALUES.map("branches = {}".format),
    st.just('[stack.net]\nroot = "net"'),
    st.just("") | section("[stack.net.backend]", BackendPolicy),
    st.just("") | section("[stack.infra]", Stack),
    st.just("") | section("[env.staging]", Environment),
    section("[env.prod]", Environment),
).map("\n".join)


@settings(max_examples=200, deadline=None)
@given(POLICIES)
def test_wrong_types_are_told_in_our_words(text: str) -> None:
    try:
        policy = parse_policy(text, SOURCE)
    except PolicyError as error:
        for problem in error.problems:
            assert re.match(rf"{SOURCE}(?: line \d+: |: nested more than)", problem), problem
            assert not FOREIGN.search(problem), problem
        return
    for stack in policy.stacks:
        for name, env in policy.environments.items():
            assert (policy.stacks[stack].name, env.name) == (stack, name)
            assert policy.digest(stack, name)
            assert len(env.windows) == len(env.freeze)


@pytest.mark.parametrize("value", ["3", "[3]", "{ a = 3 }", "2020-01-01", "nan", '"\\u0000"'])
@pytest.mark.parametrize("kind", [Stack, BackendPolicy, Environment], ids=lambda kind: kind.__name__)
def test_no_key_takes_a_value_of_a_wrong_type_silently(kind: type[Any], value: str) -> None:
    """Each key alone, so that each has a sentence of its own."""
    headers = {Stack: "[stack.infra]", BackendPolicy: "[stack.infra.backend]", Environment: "[env.prod]"}
    rest = {Stack: "[env.prod]\n", BackendPolicy: STACK + "[env.prod]\n", Environment: STACK}
    for key in keys_of(kind):
        if (key, value) == ("parallelism", "3"):
            continue
        root = 'root = "infra"\n' if kind is Stack and key != "root" else ""
        text = f"{rest[kind]}{headers[kind]}\n{root}{key} = {value}\n"
        for problem in problems(text):
            assert re.search(rf"[`.]{key}[`\].]", problem), problem
            assert not FOREIGN.search(problem), problem


# what only code may say


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[env.prod]\nname = "staging"', "line 4: unknown key `name` in [env.prod]"),
        (
            "[env.prod]\napprovals = { self_approval = true }",
            "line 4: unknown key `self_approval` in [env.prod.approvals]",
        ),
        (
            '[env.prod]\nfreeze = [{ deny = "0 17 * * 5", for = "1h", length = "1h" }]',
            "line 4: unknown key `length` in `freeze` item 1",
        ),
    ],
)
def test_names_of_the_code_are_no_keys(text: str, says: str) -> None:
    assert says in only(f"{STACK}{text}\n")


# all at once


def test_every_item_of_a_list_is_told() -> None:
    text = f"""{STACK}[env.prod]
smoke = [
  {{ http = "ftp://x", within = "0s" }},
  {{ tcp = "a:1" }},
  {{ comand = "true" }},
]
artifacts = ["ok", "not ok", 3]
"""
    assert problems(text) == (
        f"{SOURCE} line 4: unknown key `comand` in `smoke` item 3; did you mean `command`?",
        f"{SOURCE} line 4: `smoke` item 1: `http` must begin with https://, http:// or an output such as {{output.url}}",
        f"{SOURCE} line 4: `smoke` item 1: `within` must be greater than zero",
        f"{SOURCE} line 9: `artifacts` item 2 must be a name of letters, digits, `.`, `_` and `-`",
        f"{SOURCE} line 9: `artifacts` item 3 must be a string",
    )


def test_what_is_wrong_is_left_out_of_the_rules_over_several_keys() -> None:
    """A default, or what else the table says, stands in its place: no problem follows from another."""
    text = f"{STACK}[env.dev]\nlocal = 3\n[env.prod]\npromote_from = 'dev'\napprovals = {{ count = 9, users = [3] }}\n"
    assert problems(text) == (
        f"{SOURCE} line 4: `local` must be true or false",
        f"{SOURCE} line 6: `dev` is local, so nothing can be promoted from it",
        f"{SOURCE} line 7: `users` item 1 must be a string",
    )


def test_a_missing_root_is_told_beside_the_rest() -> None:
    assert problems('[stack.infra]\nenvironments = ["prd"]\n[env.prod]\nsoak = "1h"\n') == (
        f'{SOURCE} line 1: `[stack.infra]` has no `root`, such as `root = "infra"`',
        f"{SOURCE} line 2: there is no environment `prd`; did you mean `prod`?",
        f"{SOURCE} line 4: `soak` is the wait before a promotion, so it needs `promote_from`",
    )


@pytest.mark.parametrize(
    "where", ["branches = ['{}']", "[env.'{}']", "[env.x]\n'{}' = 1", "[env.x]\nurl = '{}'"]
)
def test_half_of_a_surrogate_pair_is_no_fault_of_ours(where: str) -> None:
    with pytest.raises(PolicyError):
        parse_policy(STACK + where.format("\ud800"), PATH)


def test_more_tables_than_anybody_needs() -> None:
    many = "".join(f"[env.e{number}]\n" for number in range(201))
    assert only(STACK + many) == f"{SOURCE} line 3: `env` has more than 200 tables"


def test_an_empty_force_allows_nobody() -> None:
    env = read(f"{STACK}[env.prod]\nforce = {{ users = [] }}\n").environments["prod"]
    assert not env.force
    assert env.force == Force()
