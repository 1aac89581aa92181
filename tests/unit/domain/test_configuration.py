"""What a promotion compares."""

from __future__ import annotations

import pytest

from bot.domain.policy.config_digest import configuration_digest
from bot.domain.policy.loader import parse_policy
from bot.domain.policy.model import PATH, Policy

BLOBS = {
    "infra/main.tf": "1",
    "infra/dns.tf": "2",
    "modules/vpc/main.tf": "3",
    "envs/staging.tfvars": "4",
    "envs/prod.tfvars": "5",
    "envs/common.tfvars": "6",
    "README.md": "7",
    PATH: "8",
}


def policy(stack: str = 'root = "infra"', env: str = "") -> Policy:
    return parse_policy(f"[stack.infra]\n{stack}\n[env.staging]\n{env}\n[env.prod]\n{env}\n", PATH)


def digest(changed: dict[str, str | None] | None = None, rules: Policy | None = None, *modules: str) -> str:
    blobs = {path: blob for path, blob in (BLOBS | (changed or {})).items() if blob is not None}
    return configuration_digest(rules or policy(), "infra", blobs, modules)


@pytest.mark.parametrize("path", ["infra/main.tf", "infra/new.tf", "infra/deep/er.tf"])
def test_the_stacks_own_files_count(path: str) -> None:
    assert digest({path: "changed"}) != digest()


@pytest.mark.parametrize("path", ["README.md", "modules/vpc/main.tf", "infrastructure/main.tf", PATH])
def test_other_files_do_not(path: str) -> None:
    assert digest({path: "changed"}) == digest()


def test_a_renamed_and_a_removed_file_count() -> None:
    assert digest({"infra/dns.tf": None, "infra/names.tf": "2"}) != digest()
    assert digest({"infra/dns.tf": None}) != digest()
    assert digest({"infra/dns.tf": "1", "infra/main.tf": "2"}) != digest(), "contents exchanged"


@pytest.mark.parametrize("module", ["modules/vpc", "modules/vpc/", "./modules/vpc", "infra/../modules/vpc"])
def test_local_modules_count(module: str) -> None:
    assert digest({"modules/vpc/main.tf": "changed"}, None, module) != digest({}, None, module)
    assert digest({"modules/vpc2/main.tf": "new"}, None, module) == digest({}, None, module)


def test_a_module_at_the_top_is_everything_below_it() -> None:
    assert digest({"README.md": "changed"}, None, ".") != digest({}, None, ".")


@pytest.mark.parametrize("root", [".", "./"])
def test_a_root_at_the_top_has_all_files_but_var_files_and_the_policy(root: str) -> None:
    rules = policy(f'root = "{root}"')
    for path in ("README.md", "infra/main.tf", "main.tf"):
        assert rules.stacks["infra"].watches(path)
        assert digest({path: "changed"}, rules) != digest({}, rules)
    for path in (PATH, "envs/staging.tfvars", "envs/prod.tfvars"):
        assert digest({path: "changed"}, rules) == digest({}, rules)


def test_an_environments_own_var_files_are_left_out_though_they_are_watched() -> None:
    rules = policy('root = "infra"\nwhen_modified = ["infra/**", "envs/*"]')
    assert digest({"envs/staging.tfvars": "changed"}, rules) == digest({}, rules)
    assert digest({PATH: "changed"}, rules) == digest({}, rules)
    assert digest({"envs/other.json": "new"}, rules) != digest({}, rules)


def test_a_var_file_that_environments_share_counts() -> None:
    rules = policy(env='var_files = ["envs/common.tfvars", "envs/{env}.tfvars"]')
    assert digest({"envs/common.tfvars": "changed"}, rules) != digest({}, rules)
    assert digest({"envs/prod.tfvars": "changed"}, rules) == digest({}, rules)


def test_what_is_watched_besides_counts() -> None:
    rules = policy('root = "infra"\nwhen_modified = ["infra/**", "templates/*.json"]')
    assert digest({"templates/a.json": "new"}, rules) != digest({}, rules)
    narrow = policy('root = "infra"\nwhen_modified = ["infra/main.tf"]')
    assert digest({"infra/dns.tf": "changed"}, narrow) != digest({}, narrow), "below the root in any case"


def test_no_path_can_look_like_two_files() -> None:
    one, two = {"infra/a": "1", "infra/b": "2"}, {"infra/a\n2 infra/b": "1"}
    assert configuration_digest(policy(), "infra", one) != configuration_digest(policy(), "infra", two)


def test_the_order_of_files_does_not_matter() -> None:
    turned = dict(reversed(BLOBS.items()))
    assert configuration_digest(policy(), "infra", turned) == digest()
