"""Names followed back, and what is copied or refused, without an engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.domain.ports.terraform import Additions, Engine
from bot.domain.states.addresses import parse_address, spell_address
from bot.errors import UserError
from bot.terraform.config.module_tree import Move
from bot.terraform.init.fingerprint import LOCK_FILE
from bot.terraform.reverts.additions import additions
from bot.terraform.reverts.moved_blocks import back

ENGINE = Engine("terraform", "1.11.4", "terraform")


@pytest.mark.parametrize(
    ("source", "target", "now", "then"),
    [
        ("t.a", "t.b", "t.b", "t.a"),
        ("t.a", "t.b", 't.b["k"]', 't.a["k"]'),
        ("t.a", "t.b[0]", "t.b[0]", "t.a"),
        ("t.a", "t.b[0]", "t.b[1]", None),
        ("t.a[0]", "t.b", "t.b[0]", None),
        ("t.a", "t.b", "u.b", None),
        ("module.a", "module.b", "module.b[2].module.c.t.x", "module.a[2].module.c.t.x"),
        ("module.a", 'module.b["k"]', 'module.b["k"].t.x[1]', "module.a.t.x[1]"),
        ("t.a", "module.m.t.a", "module.m.t.a[3]", "t.a[3]"),
        ("t.a", "module.m.t.a", "module.n.t.a", None),
        ("t.a", "t.b", "module.m.t.b", None),
    ],
)
def test_back_over_one_block(source: str, target: str, now: str, then: str | None) -> None:
    found = back(Move((), parse_address(source), parse_address(target)), parse_address(now))
    assert (found and spell_address(found)) == then


def test_a_modules_own_block_counts_in_each_of_its_instances() -> None:
    move = Move(("m",), parse_address("t.a"), parse_address("t.b"))
    assert back(move, parse_address('module.m["k"].t.b[0]')) == parse_address('module.m["k"].t.a[0]')
    assert back(move, parse_address("module.n.t.b")) is None
    assert back(move, parse_address("t.b")) is None


def state(*objects: tuple[str, str], provider: str = "registry.terraform.io/hashicorp/t") -> bytes:
    """(address, id) each."""
    resources = []
    for text, key in objects:
        *modules, last = parse_address(text)
        resources.append(
            {
                "module": spell_address(tuple(modules)),
                "mode": "managed",
                "type": last.type,
                "name": last.name,
                "provider": f'provider["{provider}"]',
                "instances": [{"index_key": last.key, "attributes": {"id": key}}],
            }
        )
    return json.dumps({"resources": resources}).encode()


class Roots:
    def __init__(self, base: Path) -> None:
        self.base = base

    def write(self, name: str, **files: str) -> Path:
        root = self.base / name
        root.mkdir()
        for file, text in files.items():
            (root / file.replace("__", ".")).write_text(text)
        return root

    def added(self, old: str, new: str, then: bytes, now: bytes) -> Additions:
        return additions(
            ENGINE, self.write("old", main__tf=old), self.write("new", main__tf=new), then, now, None
        )


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    return Roots(tmp_path)


A, B, C = (f'resource "t_x" "{name}" {{\n}}\n' for name in "abc")


def moved(source: str, target: str) -> str:
    return f"moved {{\n  from = {source}\n  to   = {target}\n}}\n"


def test_nothing_to_add_is_nothing(roots: Roots) -> None:
    now = state(("t_x.a", "identity"))
    assert roots.added(A, A, now, now) == Additions()


def test_only_what_is_in_the_state_is_moved_back(roots: Roots) -> None:
    new = B + moved("t_x.a", "t_x.b") + moved("t_x.p", "t_x.q")
    added = roots.added(A, new, b"", state(("t_x.b", "identity")))
    assert added.files["towpath_revert.tf"].decode() == moved("t_x.b", "t_x.a")


def test_the_old_configurations_own_blocks_go_on_from_where_they_began(roots: Roots) -> None:
    """Two blocks with the same `to` are an error of Terraform's."""
    old, new = B + moved("t_x.a", "t_x.b"), C + moved("t_x.a", "t_x.b") + moved("t_x.b", "t_x.c")
    added = roots.added(old, new, b"", state(("t_x.c", "identity")))
    assert added.files["towpath_revert.tf"].decode() == moved("t_x.c", "t_x.a")


def test_a_name_that_the_old_configuration_uses_for_another_thing_cannot_be_moved_from(roots: Roots) -> None:
    then = state(("t_x.a", "identity-1"), ("t_x.b", "identity-2"))
    added = roots.added(A + B, B + moved("t_x.a", "t_x.b"), then, state(("t_x.b", "identity-1")))
    assert added.files == {}
    assert "has both names" in added.warnings[0]


def test_ids_that_are_the_same_for_all_tell_nothing(roots: Roots) -> None:
    assert roots.added(A, B, state(("t_x.a", "none")), state(("t_x.b", "none"))).renames == {}


PROVIDER = 'provider "t" {\n  region = local.region # as ever\n}\n'


def test_a_providers_block_is_copied_with_its_locals_and_variables(roots: Roots) -> None:
    more = 'locals { region = var.a == "x" ? "${var.b}-1" : "y" }\n'
    variables = 'variable "a" {\n  default = "x"\n}\nvariable "b" {}\n'
    added = roots.added("", A + PROVIDER + more + variables, b"", state(("t_x.a", "identity")))
    text = added.files["towpath_revert.tf"].decode()
    assert PROVIDER in text
    assert 'region = var.a == "x" ? "${var.b}-1" : "y"' in text
    assert text.count('variable "a"') == text.count('variable "b"') == 1
    assert "`TF_VAR_b`" in added.warnings[0]


def test_a_configuration_that_the_old_one_gets_from_the_environment_stays_there(roots: Roots) -> None:
    added = roots.added(A, A + B + 'provider "t" {\n  region = "far"\n}\n', b"", state(("t_x.b", "identity")))
    assert added.files == {}


@pytest.mark.parametrize("reference", ["data.t_x.d.id", "module.m.out", "t_x.b.id", "var.gone", "local.gone"])
def test_what_a_provider_leans_on_must_be_there(roots: Roots, reference: str) -> None:
    new = A + B + f'provider "t" {{\n  region = {reference}\n}}\n'
    with pytest.raises(UserError, match="which refers to `"):
        roots.added("", new, b"", state(("t_x.a", "identity")))


def test_requirements_go_beside_the_old_ones_with_their_locked_versions(roots: Roots) -> None:
    def required(name: str) -> str:
        return f'terraform {{\n  required_providers {{\n    {name} = {{\n      source = "acme/{name}"\n    }}\n  }}\n}}\n'

    def locked(name: str) -> str:
        return f'provider "registry.terraform.io/acme/{name}" {{\n  version = "1.0.0"\n}}\n'

    old = roots.write("old", main__tf=required("s"), __terraform__lock__hcl=locked("s"))
    lock = locked("t") + locked("u")
    new = roots.write("new", main__tf=required("t") + A, __terraform__lock__hcl=lock)
    now = state(("t_x.a", "identity"), provider="registry.terraform.io/acme/t")
    files = additions(ENGINE, old, new, b"", now, None).files
    assert set(files) == {"towpath_revert_override.tf", LOCK_FILE}
    assert files[LOCK_FILE].decode() == locked("s") + "\n" + locked("t")
    assert 'source = "acme/t"' in files["towpath_revert_override.tf"].decode()


def test_one_name_for_two_providers_is_refused(roots: Roots) -> None:
    def required(source: str) -> str:
        return f'terraform {{\n  required_providers {{\n    t = {{ source = "{source}" }}\n  }}\n}}\n'

    now = state(("t_x.a", "identity"), provider="registry.terraform.io/acme/t")
    with pytest.raises(UserError, match="cannot have both"):
        roots.added(required("other/t"), required("acme/t") + A, b"", now)


def test_a_provider_in_json_that_is_needed_is_refused(roots: Roots) -> None:
    new = roots.write("new", main__tf__json='{"provider": {"t": [{"region": "far"}, {"alias": "w"}]}}')
    with pytest.raises(UserError, match=r"`main\.tf\.json` has in JSON"):
        additions(ENGINE, roots.write("old"), new, b"", state(("t_x.a", "identity")), None)


def test_a_module_that_configures_its_own_provider_must_still_be_called(roots: Roots) -> None:
    now = state(("module.m.t_x.a", "identity")).replace(b'"provider[', b'"module.m.provider[')
    with pytest.raises(UserError, match=r"`module\.m` configures"):
        roots.added("", 'module "m" {\n  source = "acme/m/t"\n}\n', b"", now)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("moved {\n  from = t.a[each.key]\n  to = t.b\n}\n", "invalid address"),
        ("resource {\n}\n", "on line 1 needs 2 labels"),
        ("{", "cannot be parsed"),
    ],
)
def test_what_cannot_be_read_is_named(roots: Roots, text: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        roots.added("", text, b"", b"")
    assert "`main.tf`" in str(refused.value)


def test_a_module_that_calls_itself_ends(roots: Roots) -> None:
    with pytest.raises(UserError, match="calls itself"):
        roots.added('module "m" {\n  source = "./"\n}\n', "", b"", b"")


def test_a_file_of_our_name_is_refused(roots: Roots) -> None:
    old = roots.write("old", towpath_revert__tf="")
    with pytest.raises(UserError, match="reserved for Towpath"):
        additions(ENGINE, old, roots.write("new"), b"", b"", None)
