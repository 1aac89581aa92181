"""init, plan, apply, outputs with real engines: what a team does every day."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.plans.plan_reader import read_plan
from bot.domain.ports.terraform import Backend, Engine, PlanOptions, WorkDir
from bot.errors import UserError
from bot.terraform import Runner, discover
from tests.integration.terraform.conftest import Bench, MakeBench, StateServer, confined


def test_plan_apply_outputs_and_then_nothing_to_do(bench: Bench) -> None:
    root = bench.worktree("a")
    planned = bench.plan(root)
    assert planned.ended.ok, planned.ended.log
    assert planned.has_changes
    summary = read_plan(planned.json)
    assert (summary.add, summary.change, summary.destroy) == (3, 0, 0)
    assert {change.address for change in summary.changes} == {
        'module.server["web"].playground_server.this',
        "playground_cluster.main",
        "playground_dns_record.www",
    }
    assert "cloud-config" not in json.dumps(summary.to_dict())
    assert bench.plan_file.stat().st_mode & 0o077 == 0

    ended = bench.apply(root)
    assert ended.ok, ended.log
    told = [(said.address, said.state) for said in bench.said if said.state]
    web = 'module.server["web"].playground_server.this'
    assert told.index((web, "planned")) < told.index((web, "started")) < told.index((web, "done"))

    outputs = bench.runner.outputs(bench.place(root), bench.control())
    assert outputs["url"]["value"] == "https://www.staging.example.com"
    assert outputs["kubeconfig"]["sensitive"]
    assert json.loads(bench.runner.state_pull(bench.place(root), bench.control()))["serial"] > 0
    assert len(bench.cloud.things("server")) == 1

    again = bench.plan(root)
    assert again.ended.ok
    assert not again.has_changes
    assert read_plan(again.json).empty


def test_the_second_plan_spends_nothing_on_init(
    engine: Engine, make_bench: MakeBench, tmp_path: Path
) -> None:
    calls = tmp_path / "states" / "calls"
    calls.parent.mkdir()
    wrapper = tmp_path / "counting"
    wrapper.write_text(f'#!/bin/sh\necho "$1" >> {calls}\nexec {engine.executable} "$@"\n')
    wrapper.chmod(0o755)
    bench = make_bench(replace(engine, executable=str(wrapper)))
    bench.plan(bench.worktree("first"))
    assert calls.read_text().split() == ["init", "plan", "show"]
    calls.unlink()
    root = bench.worktree("second", "bigger-web")
    ready = bench.runner.init(bench.place(root), bench.backend, bench.control())
    assert ready.reused
    assert (ready.kind, ready.config["path"]) == ("local", bench.backend.config["path"])
    planned = bench.plan(root)
    assert planned.ended.ok, planned.ended.log
    assert calls.read_text().split() == ["plan", "show"]


def test_changes_read_as_they_are(fast_bench: Bench) -> None:
    bench = fast_bench
    root = bench.worktree("a")
    bench.plan(root)
    assert bench.apply(root).ok
    web = 'module.server["web"].playground_server.this'
    for name, first in {
        "bigger-web": ("~", web, '~ size = "s" -> "m"'),
        "new-image": ("-/+", web, '~ image = "debian-12" -> "debian-13"  # forces replacement'),
        "drop-dns": ("-", "playground_dns_record.www", '- name = "www.staging.example.com"'),
    }.items():
        planned = bench.plan(bench.worktree(name, name))
        assert planned.ended.ok, planned.ended.log
        change = read_plan(planned.json).changes[0]
        symbol, address, line = first
        assert (change.symbol, change.address) == (symbol, address)
        assert line in [written for attribute in change.attributes for written in attribute.lines]


def test_drift_and_deletion_behind_terraforms_back(fast_bench: Bench) -> None:
    bench = fast_bench
    root = bench.worktree("a")
    bench.plan(root)
    assert bench.apply(root).ok
    ((key, server),) = bench.cloud.things("server").items()
    bench.cloud.put("server", key, server | {"size": "xl"})
    ((record, _),) = bench.cloud.things("dns_record").items()
    bench.cloud.drop("dns_record", record)
    summary = read_plan(bench.plan(root).json)
    assert {change.action for change in summary.drift} == {"update", "delete"}
    assert [(change.action, change.type) for change in summary.changes] == [
        ("update", "playground_server"),
        ("create", "playground_dns_record"),
    ]
    destroy = bench.plan(root, destroy=True)
    assert read_plan(destroy.json).destroy == 2
    unread = bench.plan(root, destroy=True, unread=True)
    assert (unread.ended.exit_code, unread.has_changes, unread.json) == (0, True, {})
    assert bench.apply(root).ok
    assert not bench.cloud.things("cluster")
    assert not bench.plan(root, destroy=True, unread=True).has_changes


def test_import(fast_bench: Bench) -> None:
    bench = fast_bench
    bench.cloud.put("dns_record", "dns-1", {"id": "dns-1", "name": "old", "value": "192.0.2.1", "ttl": 60})
    root = bench.worktree("a")
    (root / "import.tf").write_text(
        'resource "playground_dns_record" "old" {\n  name = "old"\n  value = "192.0.2.1"\n  ttl = 60\n}\n'
        'import {\n  to = playground_dns_record.old\n  id = "old"\n}\n'
    )
    summary = read_plan(bench.plan(root).json)
    imported = [change for change in summary.changes if change.action == "import"]
    assert [(change.address, change.import_id) for change in imported] == [
        ("playground_dns_record.old", "old")
    ]
    assert summary.headline == "1 to import, 3 to add, 0 to change, 0 to destroy"


def test_a_failure_tells_its_cause(fast_bench: Bench) -> None:
    bench = fast_bench
    planned = bench.plan(bench.worktree("broken", "broken"))
    assert not planned.ended.ok
    assert "serverz" in planned.ended.diagnostics[0]
    assert "servers.tf line" in planned.ended.diagnostics[0]

    bench.cloud.faults({"create:playground_dns_record.*": "quota exceeded"})
    root = bench.worktree("a")
    assert bench.plan(root).ended.ok
    ended = bench.apply(root)
    assert ended.exit_code == 1
    assert not ended.interrupted
    assert "quota exceeded" in ended.diagnostics[0]
    failed = [said.address for said in bench.said if said.state == "failed"]
    assert failed == ["playground_dns_record.www"]
    assert len(bench.cloud.things("server")) == 1


def test_each_cloud_takes_its_own_token_alone(fast_bench: Bench) -> None:
    bench = fast_bench
    root = bench.worktree("a")
    place = bench.place(root, PLAYGROUND_TOKEN="token-of-another")
    assert bench.runner.init(place, bench.backend, bench.control()).ended.ok
    planned = bench.runner.plan(place, root / "p", bench.control(), PlanOptions(bench.var_files(root)))
    assert "does not belong to this cloud" in planned.ended.log
    assert not planned.ended.ok


def test_the_http_backend_is_proven_and_its_password_written_nowhere(
    bench: Bench, state_server: StateServer, tmp_path: Path
) -> None:
    root = bench.worktree("a")
    address = f"{state_server.address}/state/staging"
    backend = Backend("http", {"address": address, "lock_address": address, "unlock_address": address})
    secret = {"TF_HTTP_USERNAME": "run", "TF_HTTP_PASSWORD": "s3cret-pass"}
    place = bench.place(root, **secret)
    ready = bench.runner.init(place, replace(backend, env=secret), bench.control())
    assert ready.ended.ok, ready.ended.log
    assert (ready.kind, ready.config["address"]) == ("http", address)
    planned = bench.runner.plan(place, bench.plan_file, bench.control(), PlanOptions(bench.var_files(root)))
    assert planned.ended.ok, planned.ended.log
    assert bench.runner.apply(place, bench.plan_file, bench.control()).ok
    assert json.loads(state_server.states["/state/staging"])["resources"]
    assert bench.runner.state_pull(place, bench.control()) != b""
    for path in [bench.plan_file, *(file for file in (tmp_path / "data").rglob("*") if file.is_file())]:
        assert b"s3cret-pass" not in path.read_bytes()


def test_another_engine_is_another_identity_and_refuses_the_plan(
    path_engine: Engine, embedded_engine: Engine, make_bench: MakeBench
) -> None:
    newer, older = make_bench(embedded_engine), make_bench(path_engine)
    root = newer.worktree("a")
    assert newer.plan(root).ended.ok
    ended = older.apply(root)
    if newer.runner.engine.identity == older.runner.engine.identity:
        assert ended.ok  # the one on PATH is the embedded one: no other, so nothing to refuse
        return
    assert not ended.ok
    assert not older.cloud.things("server")


def test_a_kept_init_that_does_not_fit_is_made_anew(fast_bench: Bench) -> None:
    bench = fast_bench
    root = bench.worktree("a")
    assert bench.plan(root).ended.ok
    for provider in (root / ".terraform").resolve().glob("providers/*/*/*/*/*"):
        provider.unlink()
    assert bench.plan(bench.worktree("b")).ended.ok


def test_a_committed_data_directory_is_never_used(fast_bench: Bench) -> None:
    bench = fast_bench
    root = bench.worktree("a")
    hidden = root / ".terraform"
    hidden.mkdir()
    (hidden / "terraform.tfstate").write_text(
        '{"backend": {"type": "http", "config": {"address": "http://x"}}}'
    )
    assert bench.plan(root).ended.ok
    assert hidden.is_symlink()
    assert bench.runner.init(bench.place(root), bench.backend, bench.control()).kind == "local"
    hidden.unlink()
    hidden.symlink_to(bench.base)
    assert bench.runner.init(bench.place(root), bench.backend, bench.control()).kind == "local"


def test_kept_inits_go_when_nobody_links_to_them(fast_bench: Bench) -> None:
    bench = fast_bench
    root = bench.worktree("a")
    assert bench.plan(root).ended.ok
    kept = (root / ".terraform").resolve()
    os.utime(kept, (0, 0))
    assert bench.runner.collect() == 0
    (root / ".terraform").unlink()
    assert bench.runner.collect() == 1
    assert not kept.exists()
    assert bench.plan(root).ended.ok


def test_an_override_that_leads_the_state_elsewhere_is_refused(fast_bench: Bench) -> None:
    bench = fast_bench
    root = bench.worktree("a")
    (root / "zzz_override.tf").write_text('terraform {\n  backend "http" {}\n}\n')
    with pytest.raises(UserError, match=r"zzz_override\.tf"):
        bench.runner.init(bench.place(root), bench.backend, bench.control())


def test_a_missing_var_file_and_a_missing_variable_are_terraforms_errors(fast_bench: Bench) -> None:
    bench = fast_bench
    root = bench.worktree("a")
    assert bench.plan(root).ended.ok
    place = bench.place(root)
    absent = bench.runner.plan(place, root / "p", bench.control(), PlanOptions([root / "none.tfvars"]))
    assert "none.tfvars" in "".join(absent.ended.diagnostics)
    unset = bench.runner.plan(place, root / "p", bench.control(), PlanOptions())
    assert "environment" in "".join(unset.ended.diagnostics)


def test_the_lock_file_of_the_sample_is_right(bench: Bench) -> None:
    root = bench.worktree("a")
    before = (root / ".terraform.lock.hcl").read_bytes()
    assert bench.plan(root).ended.ok
    assert (root / ".terraform.lock.hcl").read_bytes() == before


def test_discovery(path_engine: Engine, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    binary = tmp_path / "bin" / "terraform"
    binary.parent.mkdir()

    def install(version: str) -> None:
        binary.write_text(f"#!/bin/sh\necho x >> {calls}\necho 'Terraform v{version}'\n")
        binary.chmod(0o755)

    install("1.9.8")
    found = [discover(path=str(binary.parent), data=tmp_path / "data") for _ in range(3)]
    assert {engine.identity for engine in found} == {"terraform 1.9.8"}
    assert calls.read_text() == "x\n"
    install("1.10.0-rc1")
    assert discover(str(binary), path=None, data=tmp_path / "data").version == "1.10.0-rc1"
    install("1.4.7")
    with pytest.raises(UserError, match=r"needs 1\.5"):
        discover(path=str(binary.parent), data=tmp_path / "data")
    with pytest.raises(UserError, match="no executable"):
        discover("no-such-terraform", path=str(binary.parent), data=tmp_path / "data")
    without = discover(path=str(tmp_path), data=tmp_path / "data")
    assert without.embedded
    assert without.version.startswith("1.")
    assert isinstance(Runner(without, tmp_path / "data", {}, sandbox=confined(tmp_path)), Runner)


def test_workspaces_keep_apart(fast_bench: Bench) -> None:
    bench = fast_bench
    root = bench.worktree("a")
    backend = Backend(
        "local", {"path": "state.tfstate", "workspace_dir": str(bench.base / "states" / "spaces")}
    )
    place = replace(bench.place(root), workspace="pr-42")
    assert bench.runner.init(place, backend, bench.control()).ended.ok
    planned = bench.runner.plan(place, root / "p", bench.control(), PlanOptions(bench.var_files(root)))
    assert planned.ended.ok, planned.ended.log
    assert bench.runner.apply(place, root / "p", bench.control()).ok
    assert list((bench.base / "states" / "spaces" / "pr-42").glob("*.tfstate"))
    other = WorkDir(root, place.env, workspace="pr-43")
    assert bench.runner.outputs(other, bench.control()) == {}
    assert "url" in bench.runner.outputs(place, bench.control())
