"""Going back over names, providers and imports with real engines."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.domain.plans import PlanSummary, read_plan
from bot.domain.reverts import classify, compare_with_release
from bot.errors import UserError
from bot.terraform import Runner
from tests.integration.terraform.conftest import Bench, confined
from tests.integration.terraform.going_back import HEAD, Road

SERVER = 'resource "playground_server" "{0}" {{\n  name  = "{1}"\n  size  = "s"\n  image = "debian-12"\n}}\n'
DATA = 'resource "terraform_data" "this" {\n  input = 1\n}\n'

BEFORE = {
    "main.tf": HEAD
    + SERVER.format("a", "web")
    + """
resource "terraform_data" "one" {
  input = "one"
}
resource "terraform_data" "counted" {
  count = 2
  input = count.index
}
resource "terraform_data" "keyed" {
  for_each = toset(["x", "y"])
  input    = each.key
}
resource "terraform_data" "inner" {
  input = "inner"
}
module "lone" {
  source = "./part"
}
module "many" {
  source   = "./part"
  for_each = toset(["k", "l m"])
}
module "mixed" {
  source = "./part"
}
moved {
  from = terraform_data.ancient
  to   = terraform_data.one
}
""",
    "part/main.tf": DATA + 'resource "terraform_data" "other" {\n  count = 2\n}\n',
}
AFTER = {
    "main.tf": HEAD
    + SERVER.format("c", "web")
    + """
resource "terraform_data" "uno" {
  for_each = toset(["first"])
  input    = "one"
}
resource "terraform_data" "counted" {
  for_each = toset(["0", "1"])
  input    = tonumber(each.key)
}
resource "terraform_data" "renamed" {
  for_each = toset(["x", "y"])
  input    = each.key
}
module "lone" {
  source = "./part"
  count  = 1
}
module "several" {
  source   = "./part"
  for_each = toset(["k", "l m"])
}
module "changed" {
  source = "./part"
  more   = true
}
moved {
  from = playground_server.a
  to   = playground_server.b
}
moved {
  from = playground_server.b
  to   = playground_server.c
}
moved {
  from = terraform_data.ancient
  to   = terraform_data.one
}
moved {
  from = terraform_data.one
  to   = terraform_data.uno["first"]
}
moved {
  from = terraform_data.counted[0]
  to   = terraform_data.counted["0"]
}
moved {
  from = terraform_data.counted[1]
  to   = terraform_data.counted["1"]
}
moved {
  from = terraform_data.keyed
  to   = terraform_data.renamed
}
moved {
  from = terraform_data.inner
  to   = module.changed.terraform_data.inner[0]
}
moved {
  from = module.lone
  to   = module.lone[0]
}
moved {
  from = module.many
  to   = module.several
}
moved {
  from = module.mixed
  to   = module.changed
}
""",
    "part/main.tf": """
variable "more" {
  default = false
}
resource "terraform_data" "inner" {
  count = var.more ? 1 : 0
  input = "inner"
}
resource "terraform_data" "that" {
  input = 1
}
resource "terraform_data" "other" {
  count = 2
}
moved {
  from = terraform_data.this
  to   = terraform_data.that
}
""",
}


def test_what_only_changed_its_name_is_not_touched_on_the_way_back(bench: Bench) -> None:
    road = Road(bench)
    old, new = road.commit("old", BEFORE), road.commit("new", AFTER)
    road.applied(old)
    ahead = road.applied(new)
    assert (ahead.add, ahead.change, ahead.destroy) == (0, 0, 0)
    added, again = road.back(old, new)
    assert road.additions(old, new, known=False) == added
    summary = road.applied(again)
    assert (summary.add, summary.change, summary.destroy) == (0, 0, 0)
    assert added.renames["playground_server.c"] == "playground_server.a"
    assert added.warnings == ()
    proof = compare_with_release(road.left["old"], road.state, summary)
    assert proof.matches, proof
    assert proof.recreated == ()
    assert proof.unchanged == 19
    assert classify(summary, road.left["old"]).losses == 0

    # The revert of the revert: the newer configuration's own `moved` blocks lead there.
    assert road.numbers(new, again) == (0, 0, 0)
    assert "towpath_revert.tf" not in road.additions(new, old).files


def test_names_whose_moved_blocks_are_gone_are_found_by_identity(fast_bench: Bench) -> None:
    road = Road(fast_bench)
    old = road.commit("old", SERVER.format("a", "web"))
    moved = "moved {\n  from = playground_server.a\n  to   = playground_server.b\n}\n"
    middle = road.commit("middle", SERVER.format("b", "web") + moved)
    new = road.commit("new", SERVER.format("b", "web"))
    for root in (old, middle, new):
        road.applied(root)
    assert road.numbers(old, new) == (0, 0, 0)
    assert road.numbers(old, new, known=False) == (1, 0, 1)


TWO = """
variable "dir" {
  type    = string
  default = "CLOUD"
}
locals {
  where = {
    dir = var.dir
  }
  lag = 0
}
provider "playground" {
  alias     = "west"
  cloud_dir = local.where.dir
  delay     = local.lag
}
"""
WEST = SERVER.format("west", "west").replace("{\n", "{\n  provider = playground.west\n", 1)


def test_a_removed_provider_comes_along_to_destroy_what_is_its_own(bench: Bench) -> None:
    road = Road(bench)
    two = TWO.replace("CLOUD", str(bench.cloud.directory))
    old = road.commit("old", SERVER.format("a", "web"))
    new = road.commit("new", two + WEST + SERVER.format("a", "web"))
    road.applied(old)
    road.applied(new)
    plain = road.commit("plain", SERVER.format("a", "web"))
    assert "original provider configuration" in road.plan(plain).ended.log
    assert road.numbers(old, new) == (0, 0, 1)


def test_a_provider_that_the_old_configuration_does_not_know_at_all(fast_bench: Bench) -> None:
    road = Road(fast_bench)
    block = f'provider "cloud" {{\n  cloud_dir = "{fast_bench.cloud.directory}"\n}}\n'
    head = HEAD.replace("    playground =", "    cloud =")
    server = SERVER.format("west", "west").replace("{\n", "{\n  provider = cloud\n", 1)
    old = road.commit("old", {"main.tf": "terraform {\n  required_providers {\n  }\n}\n" + DATA})
    bare = road.commit("bare", {"main.tf": DATA})
    new = road.commit("new", {"main.tf": head + block + server + DATA})
    road.applied(old)
    road.applied(bare)
    road.applied(new)
    for root in (old, bare):
        added = road.additions(root, new)
        assert set(added.files) >= {"towpath_revert.tf", ".terraform.lock.hcl"}
        assert ("towpath_revert_override.tf" in added.files) == (root is old)
        assert road.numbers(root, new) == (0, 0, 1)


def test_a_provider_that_hangs_on_what_is_gone_is_refused(fast_bench: Bench) -> None:
    road = Road(fast_bench)
    leaning = f"""
provider "playground" {{
  alias     = "west"
  cloud_dir = terraform_data.dir.input
}}
resource "terraform_data" "dir" {{
  input = "{fast_bench.cloud.directory}"
}}
"""
    old, new = road.commit("old", DATA), road.commit("new", DATA + leaning + WEST)
    road.applied(old)
    road.applied(new)
    with pytest.raises(UserError, match=r"refers to `terraform_data\.dir`"):
        road.additions(old, new)


def test_what_was_imported_is_forgotten_and_nothing_else(bench: Bench) -> None:
    road = Road(bench)
    cloud = bench.cloud
    for name in ("one", "two", "three"):
        thing = {"id": f"srv-{name}", "name": name, "size": "s", "image": "debian-12", "region": "eu-1"}
        cloud.put("server", f"srv-{name}", thing | {"ip": "203.0.113.9"})
    keyed = """
resource "playground_server" "keyed" {
  for_each = toset(KEYS)
  name     = each.key
  size     = "s"
  image    = "debian-12"
}
"""
    old = road.commit("old", keyed.replace("KEYS", '["own"]'))
    imports = """
import {
  for_each = toset(["two"])
  id       = each.key
  to       = playground_server.keyed[each.key]
}
import {
  id = "one"
  to = playground_server.one
}
import {
  id = "three"
  to = module.m[0].playground_server.three
}
module "m" {
  source = "./m"
  count  = 1
}
"""
    main = HEAD + keyed.replace("KEYS", '["own", "two", "made"]') + SERVER.format("one", "one") + imports
    module = HEAD + SERVER.format("three", "three")
    new = road.commit("new", {"main.tf": main, "m/main.tf": module})
    road.applied(old)
    ahead = road.applied(new)
    imported = [change.address for change in ahead.changes if change.import_id]
    assert "may have been created" in road.additions(old, new, imported=None).warnings[0]
    added, again = road.back(old, new, imported=imported)
    summary = road.applied(again)
    assert (summary.add, summary.change, summary.destroy, summary.forget) == (0, 0, 1, 3)
    assert set(added.forgets) == {
        'playground_server.keyed["two"]',
        "playground_server.one",
        "module.m[0].playground_server.three",
    }
    assert {thing["name"] for thing in cloud.things("server").values()} == {"own", "one", "two", "three"}
    assert compare_with_release(road.left["old"], road.state, summary).matches
    assert classify(summary, road.left["old"]).count("forget") == 3

    older = Runner(
        replace(bench.runner.engine, version="1.6.6"), bench.base / "data", {}, sandbox=confined(bench.base)
    )
    with pytest.raises(UserError, match=r"1\.7 or later"):
        older.revert_additions(old, new, then=road.left["old"], now=road.left["new"])


def test_what_was_forgotten_is_told_not_called_lost(fast_bench: Bench) -> None:
    road = Road(fast_bench)
    forget = "removed {\n  from = playground_server.a\n  lifecycle {\n    destroy = false\n  }\n}\n"
    old, new = road.commit("old", SERVER.format("a", "web")), road.commit("new", forget)
    road.applied(old)
    road.applied(new)
    added, again = road.back(old, new)
    assert added.outside == ("playground_server.a",)
    assert "exists outside the state" in added.warnings[0]
    summary = read_plan(road.plan(again).json)
    assert classify(summary, road.left["old"], added.outside).count("create") == 1
    assert classify(summary, road.left["old"]).count("recreate_empty") == 1


def test_losses_are_counted_and_what_comes_back_is_told_apart(fast_bench: Bench) -> None:
    road = Road(fast_bench)
    cluster = (
        'resource "playground_cluster" "main" {\n  name    = "main"\n  nodes   = 1\n  version = "1.34"\n}\n'
    )
    record = (
        'resource "playground_dns_record" "www" {\n  name  = "www"\n  value = playground_server.a.ip\n}\n'
    )
    output = 'output "key" {\n  value     = playground_cluster.main.kubeconfig\n  sensitive = true\n}\n'
    first = SERVER.format("a", "web") + record
    old = road.commit("old", first + cluster + output + SERVER.format("same", "same"))
    changed = first.replace("debian-12", "debian-13") + SERVER.format("extra", "extra")
    new = road.commit("new", changed + SERVER.format("same", "same").replace('"s"', '"m"'))
    road.applied(old)
    road.applied(new)
    _, again = road.back(old, new)
    summary = road.applied(again)
    classes = classify(summary, road.left["old"])
    assert [(one.kind, one.address) for one in classes.actions] == [
        ("destroy", "playground_server.extra"),
        ("replace", "playground_server.a"),
        ("recreate_empty", "playground_cluster.main"),
        ("in_place", "playground_dns_record.www"),
        ("in_place", "playground_server.same"),
    ]
    assert (classes.losses, classes.loses) == (2, True)
    proof = compare_with_release(road.left["old"], road.state, summary)
    assert proof.matches, proof
    assert set(proof.recreated) == {"playground_server.a", "playground_cluster.main"}
    assert proof.unchanged == 2

    differing = compare_with_release(road.left["new"], road.state, PlanSummary())
    assert [(one.kind, one.address) for one in differing.differences] == [
        ("extra", "playground_cluster.main"),
        ("changed", "playground_dns_record.www"),
        ("changed", "playground_server.a"),
        ("missing", "playground_server.extra"),
        ("changed", "playground_server.same"),
        ("output", "key"),
    ]
    assert "apiVersion" not in repr(differing)


def test_json_is_read_too(fast_bench: Bench) -> None:
    road = Road(fast_bench)
    old = road.commit("old", SERVER.format("a", "web"))
    server = {"name": "web", "size": "s", "image": "debian-12"}
    content = {
        "terraform": {
            "required_providers": {
                "playground": {"source": "towpath.example/demo/playground", "version": "1.0.0"}
            }
        },
        "resource": {"playground_server": {"b": server}},
        "moved": [{"from": "playground_server.a", "to": "playground_server.b"}],
    }
    new = road.commit("new", {"main.tf.json": json.dumps(content)})
    road.applied(old)
    road.applied(new)
    assert road.numbers(old, new, known=False) == (0, 0, 0)
