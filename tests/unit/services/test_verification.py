"""What happens between an apply and its end: artifacts, smoke checks, and the release's verification. Real rows, real
checks of what this machine has; Terraform and GitHub stay out of it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.identity import EnvironmentSecrets
from bot.domain.policy.loader import parse_policy
from bot.domain.policy.model import Environment, Policy, Stack
from bot.domain.policy.schema import SmokeCheck
from bot.domain.ports.secrets import SecretsScope, SecretsUnavailable
from bot.domain.ports.smoke import Smoke, SmokeResult, Surroundings
from bot.domain.ports.terraform import Backend, CommandResult, TerraformFailed, WorkDir
from bot.domain.release import Release
from bot.domain.run import Run
from bot.domain.states.outputs import Output
from bot.domain.target import Target
from bot.errors import UserError
from bot.render.documents.target_state import progress
from bot.sandbox import Sandbox
from bot.services.context import Context
from bot.services.releases.smoke import smoke_checks, smoke_names
from bot.services.releases.verification import Verified, initial_verification, verify_release
from bot.smoke import Checker
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW, Clock

STAGING = Target("acme/infra", "infra", "staging")
CONFIG = "clusters:\n- token: s3cr3t-of-the-cluster\n"
OUTPUTS: dict[str, Any] = {
    "url": {"value": "https://www.example.com", "type": "string"},
    "words": {"value": "two words", "type": "string"},
    "kubeconfig": {"value": CONFIG, "type": "string", "sensitive": True},
    "map": {"value": {"a": 1}, "type": ["object", {"a": "number"}]},
}
BACKEND = Backend("http")


def environment(**more: Any) -> Environment:
    return Environment("staging", **more)


def policy_of(env: Environment) -> Policy:
    return Policy({"infra": Stack("infra", "infra")}, {"staging": env})


class Places:
    """Where the state is: these bytes."""

    def __init__(self, data: bytes | None) -> None:
        self.data = data

    def current(self, _target: Target, _backend: Backend) -> bytes | None:
        return self.data


def state(**more: Any) -> bytes:
    return json.dumps({"version": 4, "serial": 5, "lineage": "l", "outputs": OUTPUTS, **more}).encode()


Setup = Callable[..., Verified]


class Bench:
    """A run that was applied, with its release; `verify` does the rest."""

    def __init__(self, context: Context) -> None:
        self.run = samples.run(
            "r1", kind="apply", target=STAGING, phase="recording", progress={"a.b": {"state": "done"}}
        )
        self.release = replace(samples.release("rel1", STAGING), verification="running")
        self.context = replace(
            context,
            smoke=Checker({"PATH": os.environ["PATH"]}, Sandbox()),
            backends=Places(state()),  # type: ignore[arg-type]
            secrets=lambda scope: EnvironmentSecrets.split(
                {"TOKEN": "staging-token-1"} if scope.prefix == "STAGING_" else {}
            ),
        )
        with context.store.begin() as tables:
            tables.runs.add(self.run)
            tables.releases.add(self.release)

    def verify(self, env: Environment, scope: WorkDir | None = None) -> Verified:
        return verify_release(self.context, self.run, self.release, policy_of(env), BACKEND, scope)

    def row(self) -> Run:
        with self.context.store.read() as tables:
            run = tables.runs.get("r1")
        assert run is not None
        return run

    def kept(self) -> Release:
        with self.context.store.read() as tables:
            release = tables.releases.get("rel1")
        assert release is not None
        return release

    def log(self) -> str:
        with self.context.store.read() as tables:
            return "\n".join(tables.runs.log("r1")[1])


@pytest.fixture
def bench(context: Context) -> Bench:
    return Bench(context)


def python(code: str, name: str) -> SmokeCheck:
    return SmokeCheck(
        name=name,
        command=(sys.executable, "-I", "-S", "-c", code),
        within=timedelta(seconds=1),
        every=timedelta(seconds=9),
    )


# checks of the policy


def test_checks_are_made_of_the_policy() -> None:
    text = """
[stack.infra]
root = "infra"
[env.staging]
url = "https://{env}.example.com"
smoke = [
  { http = "{output.url}/healthz", status = [200, 204], contains = "{\\"ok\\"", within = "90s", every = "5s", timeout = "3s" },
  { http = "{url}" },
  { tcp = "{env}.db:5432", name = "database" },
  { command = "kubectl get nodes -o 'jsonpath={.items[*]}' {output.words}" },
  { command = ["kubectl", "version"] },
]
"""
    env = parse_policy(text, "envs/environments.toml").environments["staging"]
    made = smoke_checks(env, STAGING, 7, _outputs())
    assert made == [
        Smoke("healthz", "http", "https://www.example.com/healthz", (), (200, 204), '{"ok"', 90.0, 5.0, 3.0),
        Smoke("http", "http", "https://staging.example.com"),
        Smoke("database", "tcp", "staging.db:5432"),
        Smoke(
            "kubectl get nodes -o 'jsonpath={.items[*]}' {output.words}",
            "command",
            "kubectl get nodes -o 'jsonpath={.items[*]}' {output.words}",
            ("kubectl", "get", "nodes", "-o", "jsonpath={.items[*]}", "two words"),
        ),
        Smoke("kubectl version", "command", "kubectl version", ("kubectl", "version")),
    ]


def _outputs() -> Mapping[str, Output]:
    return {name: Output(one["value"], bool(one.get("sensitive"))) for name, one in OUTPUTS.items()}


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (SmokeCheck(http="{output.missing}/healthz"), "there is no output `missing`"),
        (SmokeCheck(command="curl {output.kubeconfig}"), "output `kubeconfig` is sensitive"),
        (
            SmokeCheck.model_construct(command="echo 'half"),
            "the command cannot be parsed: no closing quotation",
        ),
        (SmokeCheck(http="{url}/healthz"), "`{url}` is empty"),
    ],
)
def test_a_check_that_cannot_be_tried_is_a_failed_one(entry: SmokeCheck, why: str) -> None:
    (made,) = smoke_checks(environment(smoke=(entry,)), STAGING, 7, _outputs())
    assert isinstance(made, SmokeResult)
    assert not made.ok
    assert why in made.message


def test_each_check_has_a_name_of_its_own() -> None:
    entries = (
        SmokeCheck(http="https://a/healthz?x=/y"),
        SmokeCheck(http="{output.url}/healthz/"),
        SmokeCheck(http="{output.url}"),
        SmokeCheck(tcp="a:1"),
        SmokeCheck(tcp="a:1"),
    )
    assert smoke_names(environment(smoke=entries)) == ["healthz", "healthz (2)", "http", "a:1", "a:1 (2)"]


# verification


def test_without_checks_it_counts_as_verified(bench: Bench) -> None:
    env = environment(url="{output.url}")
    assert initial_verification(env) == "none"
    told = bench.verify(env)
    assert (told.message, told.next_step) == ("", "")
    assert bench.kept() == told.release
    assert (told.release.verification, told.release.verified_at) == ("none", NOW)
    assert told.release.verified
    assert told.release.url == "https://www.example.com"
    assert bench.row().phase == "recording", "there is nothing to wait for"


def test_checks_that_are_well(bench: Bench, clock: Clock) -> None:
    env = environment(smoke=(python("pass", name="one"), python("pass", name="two")))
    assert initial_verification(env) == "running"
    clock.pass_by(minutes=1)
    told = bench.verify(env)
    assert told.message == ""
    kept = bench.kept()
    assert (kept.verification, kept.verified_at) == ("passed", clock.at)
    assert [(one["name"], one["ok"]) for one in kept.checks] == [("one", True), ("two", True)]
    assert set(kept.checks[0]) == {"name", "ok", "message", "seconds"}
    row = bench.row()
    assert row.phase == "verifying"
    assert {name: facts["state"] for name, facts in row.progress.items()} == {"one": "done", "two": "done"}
    assert "one, try 1: " in bench.log()


def test_a_failed_check_fails_the_verification_and_the_others_are_made(bench: Bench) -> None:
    env = environment(
        smoke=(
            python("raise SystemExit('no nodes')", name="nodes"),
            SmokeCheck(http="{output.missing}"),
            python("pass", name="two"),
        )
    )
    told = bench.verify(env)
    assert [one["ok"] for one in bench.kept().checks] == [False, False, True]
    assert bench.kept().verification == "failed"
    assert not told.release.verified
    assert "nodes: `" in told.message
    assert "exited with 1: no nodes; http: there is no output `missing`." in told.message
    assert "`/apply staging infra`" in told.next_step
    assert bench.row().progress["nodes"]["state"] == "failed"


def test_surfaces_are_due(bench: Bench) -> None:
    bench.verify(environment(smoke=(python("pass", name="one"),)))
    with bench.context.store.read() as tables:
        surface = tables.surfaces.get("status:acme/infra#7")
    assert surface is not None
    assert surface.due_at is not None


def test_a_command_finds_the_artifact_and_the_secrets(bench: Bench) -> None:
    code = f"import os; assert open(os.environ['KUBECONFIG']).read() == {CONFIG!r}; assert os.environ['TOKEN'] == 'staging-token-1'"
    told = bench.verify(environment(smoke=(python(code, name="nodes"),), artifacts=("kubeconfig",)))
    assert told.message == ""
    assert not (bench.context.data_dir / "smoke" / "r1").exists(), "it was in clear there"


def test_nothing_secret_is_told(bench: Bench) -> None:
    code = "import os, sys; sys.exit(open(os.environ['KUBECONFIG']).read() + os.environ['TOKEN'])"
    told = bench.verify(environment(smoke=(python(code, name="nodes"),), artifacts=("kubeconfig",)))
    everything = (
        told.message + bench.log() + json.dumps(bench.kept().checks) + json.dumps(bench.row().progress)
    )
    assert "***" in everything
    assert "s3cr3t" not in everything
    assert "staging-token-1" not in everything


def test_it_may_be_entered_again(bench: Bench, clock: Clock) -> None:
    """After a crash amid the checks they are made again; after their end nothing is."""
    env = environment(smoke=(python("raise SystemExit(1)", name="one"),), artifacts=("kubeconfig", "gone"))
    left = bench.context.data_dir / "smoke" / "r1"
    left.mkdir(parents=True)
    (left / "kubeconfig").write_text("of before the crash")
    first = bench.verify(env)
    assert not left.exists()
    clock.pass_by(minutes=1)
    again = bench.verify(environment(smoke=(python("pass", name="one"),)))
    assert again.release == first.release == bench.kept()
    assert "smoke checks failed" in again.message


def test_cancelled_amid_the_checks(bench: Bench) -> None:
    class Waits:
        def check(self, smoke: Smoke, _around: Surroundings, *, cancelled: Any, on_try: Any) -> SmokeResult:
            with bench.context.store.begin() as tables:
                tables.runs.update("r1", cancel_by="ann")
            while not cancelled():
                pass
            return SmokeResult(smoke.name, False, "cancelled", 0.1)

    bench.context = replace(bench.context, smoke=Waits())
    told = bench.verify(environment(smoke=(SmokeCheck(tcp="a:1"), SmokeCheck(tcp="b:1"))))
    assert [one["message"] for one in told.release.checks] == ["cancelled", "not run: cancelled"]
    assert told.release.verification == "failed"


def test_all_checks_share_the_environments_time(bench: Bench) -> None:
    seen: list[Smoke] = []

    class Notes:
        def check(self, smoke: Smoke, _around: Surroundings, **_more: Any) -> SmokeResult:
            seen.append(smoke)
            return SmokeResult(smoke.name, True, "well", 0.0)

    bench.context = replace(bench.context, smoke=Notes())
    entry = SmokeCheck(tcp="a:1", within=timedelta(hours=5), timeout=timedelta(hours=4))
    bench.verify(environment(smoke=(entry,), timeout=timedelta(minutes=10)))
    assert seen[0].within <= 600
    assert seen[0].timeout <= 600
    bench = again(bench)
    told = bench.verify(environment(smoke=(entry,), timeout=timedelta(0)))
    assert "timeout" in told.release.checks[0]["message"]
    assert len(seen) == 1


def again(bench: Bench) -> Bench:
    """The same again, not verified."""
    with bench.context.store.begin() as tables:
        tables.releases.update("rel1", verified_at=None)
    return bench


# outputs


def test_outputs_that_cannot_be_read_fail_the_checks_that_need_them(bench: Bench) -> None:
    class Away(Places):
        def current(self, _target: Target, _backend: Backend) -> bytes | None:
            raise UserError("The bucket does not answer.")

    bench.context = replace(bench.context, backends=Away(None))  # type: ignore[arg-type]
    told = bench.verify(
        environment(
            smoke=(SmokeCheck(http="{output.url}"), python("pass", name="plain")), artifacts=("kubeconfig",)
        )
    )
    assert [one["ok"] for one in told.release.checks] == [False, True]
    assert told.release.checks[0]["message"] == "the outputs cannot be read: The bucket does not answer."
    assert "`kubeconfig` was not kept: the outputs cannot be read" in told.message


def test_an_encrypted_state_is_read_by_terraform(bench: Bench, tmp_path: Any) -> None:
    class Reads:
        def outputs(self, scope: WorkDir, _control: Any) -> Mapping[str, Any]:
            if scope.workspace:
                raise TerraformFailed("output", CommandResult(1, "", diagnostics=("wrong passphrase",)))
            return OUTPUTS

    env = environment(smoke=(SmokeCheck(http="{output.missing}"),), artifacts=("kubeconfig",))
    bench.context = replace(bench.context, backends=Places(state(encrypted_data="x")), terraform=Reads())  # type: ignore[arg-type]
    assert "state is encrypted by OpenTofu" in bench.verify(env).release.checks[0]["message"]
    failed = again(bench).verify(env, WorkDir(tmp_path, workspace="broken"))
    assert "wrong passphrase" in failed.release.checks[0]["message"]
    told = again(bench).verify(env, WorkDir(tmp_path))
    assert "there is no output `missing`" in told.release.checks[0]["message"]
    assert "not kept" not in told.message


# artifacts


def test_artifacts_are_kept(bench: Bench) -> None:
    told = bench.verify(environment(artifacts=("kubeconfig", "map", "gone")))
    with bench.context.store.read() as tables:
        kept = {one.name: tables.artifacts.content(one.id) for one in tables.artifacts.of_target(STAGING)}
    assert kept == {"kubeconfig": CONFIG.encode(), "map": b'{"a": 1}'}
    assert told.message == "The artifact `gone` was not kept: there is no such output."
    assert told.message in bench.log()
    assert told.release.verified


# what people see of it


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (("planned", "planned"), "verifying"),
        (("started", "planned"), "verifying · 1/2 · healthz"),
        (("done", "started"), "verifying · 2/2 · nodes"),
        (("failed", "started"), "verifying · 2/2 · nodes · 1 failure"),
    ],
)
def test_the_row_reads_well(states: tuple[str, str], said: str) -> None:
    facts = {
        name: {"state": one, "action": "check"}
        for name, one in zip(("healthz", "nodes"), states, strict=True)
    }
    run = samples.run(kind="apply", phase="verifying", progress=facts)
    assert "".join(span.text for span in progress(run, None)) == said  # type: ignore[union-attr]


# secrets


def unavailable(_scope: SecretsScope) -> EnvironmentSecrets:
    raise SecretsUnavailable("The secrets of `staging` could not be read.")


def test_a_vault_that_fails_after_the_apply_casts_no_doubt_on_it(bench: Bench) -> None:
    bench.context = replace(bench.context, secrets=unavailable)
    assert bench.verify(Environment("staging")).message == ""
    assert bench.kept().verification == "none"


def test_but_no_check_runs_without_its_secrets(bench: Bench) -> None:
    bench.context = replace(bench.context, secrets=unavailable)
    with pytest.raises(SecretsUnavailable):
        bench.verify(Environment("staging", smoke=(python("pass", "one"),)))
    assert bench.kept().verification == "running"
