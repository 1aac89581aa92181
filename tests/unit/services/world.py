"""One object behind all ports: GitHub, git, Terraform, the backends and the queue of a world where nothing moves.

A test changes what it asks about: a file, a commit, what Terraform answers. States and locks are real ones: in the
tables for the built-in backend, in a `Bucket` for s3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.domain.actors import Actor, Role
from bot.domain.approvals import Approval
from bot.domain.audit import Entry
from bot.domain.identity import EnvironmentSecrets
from bot.domain.lock import Lock
from bot.domain.policy import Policy
from bot.domain.policy.loader import parse_policy
from bot.domain.ports.forge import PullRequest, Repository, Review
from bot.domain.ports.secrets import SecretsScope
from bot.domain.ports.state import Author, StateLocation
from bot.domain.ports.terraform import (
    Backend,
    CommandResult,
    Control,
    Engine,
    InitResult,
    InputVariable,
    Requirement,
    VariableValue,
    WorkDir,
)
from bot.domain.run import Origin, Plan, Run
from bot.domain.states import StateInfo, Unsaved
from bot.domain.target import Target
from bot.services.applies.options import ApplyOptions, ApplyRequest
from bot.services.context import Context
from bot.services.targets import PullContext
from bot.state.locations import InTables
from bot.terraform.config import module_graph, requirements, var_file
from bot.terraform.config.input_variables import unset
from bot.terraform.config.module_graph import names_in
from tests.contract.state_store import state
from tests.integration.storage import samples
from tests.unit.services.bucket import Bucket
from tests.unit.services.conftest import NOW

STAGING, PROD = Target("acme/infra", "infra", "staging"), Target("acme/infra", "infra", "prod")
ANN, BOB, CAROL = Actor("ann"), Actor("bob"), Actor("carol")
HEAD, BASE = "c" * 40, "b" * 40
UNSAVED = state(5)
STACK = '[stack.infra]\nroot = "infra"\n'
PLAIN = f'{STACK}[env.staging]\non_pull_request = "plan"\n'
IDENTITY = (
    'identity.aws = { plan = "arn:aws:iam::123456789012:role/read", '
    'apply = "arn:aws:iam::123456789012:role/write" }\n'
)
"""For the environment at the end of a policy."""
ADDRESS = "https://towpath.example.com/state"


class World:
    """Implements the ports of `context`, which is the one to use. Answers are fields; what was asked is in `calls`."""

    checks, narrows = True, False

    def __init__(self, context: Context, policy: str = PLAIN) -> None:
        me: Any = self
        self.context = replace(
            context, forge=me, git=me, terraform=me, backends=me, work=me, secrets=me.secrets_of, tell=me.tell
        )
        self.tip = BASE
        self.policies: dict[str, bytes | None] = {BASE: policy.encode()}
        self.files_at: dict[str, dict[str, bytes]] = {}
        self.files_now: dict[str, bytes] = {"infra/main.tf": b"", "envs/staging.tfvars": b""}
        self.moved: list[str] = []
        self.contains: set[str] = set()
        self.roles: dict[str, Role] = {}
        self.variables: dict[str, dict[str, str]] = {}
        self.engine = Engine("terraform", "1.11.4", "terraform")
        self.init_result = CommandResult(0, "")
        self.on_init: Callable[[], object] = lambda: None
        self.workspace = "default"
        self.on_apply: Callable[[WorkDir, Path, Control], CommandResult] = lambda *_facts: CommandResult(
            0, ""
        )
        self.supervised: tuple[str, int | None] = ("ended", 1)
        self.kind, self.bucket = "http", Bucket()
        self.given: list[Review] = []
        self.calls: list[str] = []
        self.inits: list[tuple[WorkDir, Backend]] = []
        self.enqueued: list[Run] = []
        self.told: list[tuple[int, Any]] = []
        self.pulls: dict[int, PullRequest] = {}
        with context.store.begin() as tables:
            tables.pulls.save_repository(samples.repository())
        self.open_pull()

    # GitHub

    def open_pull(self, number: int = 7, **more: Any) -> PullRequest:
        """Save a pull request, as GitHub and the rows have it."""
        pull = samples.pull(number, **{"head_sha": HEAD, **more})
        self.pulls[number] = pull
        with self.context.store.begin() as tables:
            tables.pulls.save(pull)
        return pull

    def pull(self, _repository: str, number: int) -> PullRequest:
        return self.pulls[number]

    def repository(self, name: str) -> Repository:
        return samples.repository(name)

    def head_of(self, _repository: str, _branch: str) -> str:
        return self.tip

    def role(self, _repository: str, login: str) -> Role:
        return self.roles.get(login, "write")

    def reviews(self, *_facts: object) -> list[Review]:
        return self.given

    def review(self, login: str, state: Any = "approved", **ago: float) -> None:
        """A review of the latest commit."""
        at = NOW - timedelta(**ago)
        self.given.append(Review(len(self.given) + 1, login, False, state, HEAD, "", at))

    def members(self, _team: str) -> frozenset[str]:
        return frozenset()

    def authors(self, *_facts: object, **_named: object) -> frozenset[str]:
        return frozenset(["ann"])

    def git_credentials(self, _repository: str, _others: tuple[str, ...] = ()) -> tuple[str, str]:
        return "x", "token"

    # git

    def fetch(self, *_facts: object, **_named: object) -> None:
        """Everything is there."""

    def read(self, _repository: str, commit: str, path: str) -> bytes | None:
        if path == "envs/environments.toml":
            return self.policies.get(commit)
        return self.files_at.get(commit, self.files_now).get(path)

    def files(self, _repository: str, commit: str, under: str = "") -> list[str]:
        return [path for path in self.files_at.get(commit, self.files_now) if path.startswith(under)]

    def blobs(self, _repository: str, commit: str) -> dict[str, str]:
        return {path: repr(data) for path, data in self.files_at.get(commit, self.files_now).items()}

    def changed(self, _repository: str, _base: str, _head: str) -> list[str]:
        return self.moved

    def merge_base(self, *_facts: str) -> str:
        return BASE

    def is_ancestor(self, _repository: str, ancestor: str, _commit: str) -> bool:
        return ancestor in self.contains

    def commits(self, *_facts: object, **_named: object) -> list[str]:
        return []

    def checkout(self, _repository: str, commit: str, path: Path) -> str:
        self.calls.append(f"checkout {commit[:1]}")
        for name, data in self.files_now.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
        return "tree"

    def remove(self, path: Path) -> None:
        self.calls.append(f"remove {path.name}")

    # Terraform

    def module_users(self, *_facts: object) -> Mapping[str, frozenset[str]]:
        return {}

    def var_file_values(self, path: str, content: bytes) -> tuple[VariableValue, ...]:
        return tuple(var_file.var_file_values(path, content))

    def sensitive_variables(self, files: list[str], read: module_graph.Read, root: str) -> frozenset[str]:
        return requirements.sensitive_variables(root, module_graph.names_in(files), read, "terraform")

    def requirements(self, files: list[str], read: module_graph.Read, root: str) -> tuple[Requirement, ...]:
        return tuple(requirements.requirements(root, module_graph.names_in(files), read, "terraform"))

    def unset_variables(
        self, files: Sequence[str], read: Callable[[str], bytes | None], root: str, var_files: Sequence[str]
    ) -> tuple[InputVariable, ...]:
        return tuple(unset(root, names_in(files), read, var_files, "terraform"))

    def declared_backend(self, _root: Path) -> str:
        return ""

    def init(self, work_dir: WorkDir, backend: Backend, _control: Control) -> InitResult:
        self.calls.append("init")
        self.inits.append((work_dir, backend))
        self.on_init()
        return InitResult(self.init_result, backend.kind, backend.config, workspace=self.workspace)

    def apply(
        self, work_dir: WorkDir, plan: Path, control: Control, *, parallelism: int | None = None
    ) -> CommandResult:
        self.calls.append(f"apply {parallelism}" if parallelism else "apply")
        return self.on_apply(work_dir, plan, control)

    def outcome(self, _journal: Path) -> tuple[str, int | None]:
        self.calls.append("outcome")
        return self.supervised

    def collect(self) -> int:
        self.calls.append("collect")
        return 0

    # backends

    def backend(
        self, target: Target, _policy: Policy, _declared: str, credential: tuple[str, str]
    ) -> Backend:
        if self.kind == "s3":
            return Backend("s3", {"bucket": "states", "key": f"{target.environment}/terraform.tfstate"})
        user, password = credential
        return Backend("http", {"address": f"{ADDRESS}/{target.key}"}, {"USER": user, "PASSWORD": password})

    def prove(self, _expected: Backend, _found: InitResult) -> None:
        self.calls.append("prove")

    def restore(self, kept: Mapping[str, Any]) -> Backend:
        return Backend(kept["kind"], dict(kept["config"]))

    def current(self, target: Target, backend: Backend) -> bytes | None:
        return self.location(target, backend).read()

    def location(self, target: Target, backend: Backend, author: Author | None = None) -> StateLocation:
        if backend.kind == "http":
            return InTables(self.context.store, target.key, author or Author())
        return self.bucket

    # secrets, queue and replies

    def secrets_of(self, scope: SecretsScope) -> EnvironmentSecrets:
        return EnvironmentSecrets.split(self.variables.get(scope.prefix, {}))

    def enqueue(self, run: Run, _tables: object) -> None:
        self.enqueued.append(run)

    def tell(self, _tables: object, _origin: Origin, _repository: str, pull: int, result: Any) -> None:
        self.told.append((pull, result))

    # what tests begin with, and look at

    @property
    def policy(self) -> Policy:
        return parse_policy((self.policies[self.tip] or b"").decode(), "policy")

    def pull_context(self, number: int = 7) -> PullContext:
        return PullContext(self.pulls[number], self.policy, BASE)

    def request(self, target: Target = STAGING, delivery: str = "d1", **options: Any) -> ApplyRequest:
        return ApplyRequest(self.pull_context(), (target,), ANN, Origin(delivery), ApplyOptions(**options))

    def backend_of(self, target: Target = STAGING) -> Backend:
        """Where the target's state is, without credentials."""
        policy: Any = None
        backend = self.backend(target, policy, "", ("", ""))
        return Backend(backend.kind, backend.config)

    def keep_plan(self, plan_id: str = "p1", target: Target = STAGING, **more: Any) -> Plan:
        """A fresh plan of the latest commit, shown on GitHub, with its worktree in the data directory."""
        worktree = self.context.data_dir / "worktrees" / plan_id
        backend = self.backend_of(target)
        facts: dict[str, Any] = {
            "run_id": plan_id,
            "target": target,
            "commit": HEAD,
            "base_commit": BASE,
            "policy": self.policy.digest(target.stack, target.environment),
            "engine": self.engine.identity,
            "lineage": "",
            "serial": 0,
            "tree": "tree",
            "worktree": str(worktree),
            "root": str(worktree / "infra"),
            "summary": {},
            "backend": {"kind": backend.kind, "config": dict(backend.config)},
            "created_at": NOW - timedelta(minutes=5),
            "published_at": NOW - timedelta(minutes=5),
        }
        plan = samples.plan(plan_id, **facts | more)
        with self.context.store.begin() as tables:
            tables.plans.add(plan, samples.FILE)
        return plan

    def keep_run(self, run_id: str = "r1", **more: Any) -> Run:
        """An apply of plan `p1` in the queue."""
        facts: dict[str, Any] = {
            "kind": "apply",
            "target": STAGING,
            "commit": HEAD,
            "actor": ANN,
            "plan_id": "p1",
            "progress": {},
        }
        run = samples.run(run_id, **facts | more)
        with self.context.store.begin() as tables:
            tables.runs.add(run)
        return run

    def keep_approval(self, target: Target = STAGING, **more: Any) -> Approval:
        """A request to approve plan `p1`, open for an hour."""
        facts: dict[str, Any] = {
            "run_id": "p1",
            "plan_digest": samples.plan().digest,
            "commit": HEAD,
            "actor": ANN,
            "origin": Origin("d0"),
            "created_at": NOW - timedelta(minutes=1),
            "expires_at": NOW + timedelta(hours=1),
        }
        approval = Approval("a1", target, 7, **facts | more)
        with self.context.store.begin() as tables:
            tables.approvals.add(approval)
        return approval

    def approval(self, approval_id: str = "a1") -> Approval:
        with self.context.store.read() as tables:
            approval = tables.approvals.get(approval_id)
        assert approval is not None, f"there is no approval {approval_id}"
        return approval

    def run(self, run_id: str = "r1") -> Run:
        with self.context.store.read() as tables:
            run = tables.runs.get(run_id)
        assert run is not None, f"there is no run {run_id}"
        return run

    def plan_status(self, plan_id: str = "p1") -> str:
        with self.context.store.read() as tables:
            plan = tables.plans.get(plan_id)
        return plan.status if plan else ""

    def lock_of(self, target: Target = STAGING) -> Lock | None:
        with self.context.store.read() as tables:
            return tables.locks.get(target)

    def take_lock(self, pull: int = 8, target: Target = STAGING, **more: Any) -> Lock:
        """bob's, for a pull request or (0) by hand."""
        with self.context.store.begin() as tables:
            return tables.locks.take(Lock(target, BOB, NOW, pull=pull, **more), NOW)

    def leave_unsaved(self, target: Target = STAGING, pull: int = 6) -> None:
        """The apply of a pull request left a state that could not be uploaded."""
        info = StateInfo.parse(UNSAVED)
        kept = Unsaved(
            id="u1",
            target=target,
            run_id="r0",
            pull=pull,
            commit=HEAD,
            login="ann",
            lineage=info.lineage,
            serial=info.serial,
            sha256=info.sha256,
            size=info.size,
            plan_serial=4,
            base_known=False,
            base_sha256="",
            created_at=NOW,
            backend={"kind": "s3", "config": {}},
        )
        with self.context.store.begin() as tables:
            tables.unsaved.keep(kept, UNSAVED)

    def waiters(self, target: Target = STAGING) -> list[int]:
        with self.context.store.read() as tables:
            return [one.pull for one in tables.locks.waiters(target)]

    @property
    def audit(self) -> list[Entry]:
        with self.context.store.read() as tables:
            return list(tables.audit.entries())

    @property
    def actions(self) -> list[str]:
        return [entry.action for entry in self.audit]

    def due(self, pull: int = 7) -> set[str]:
        """Ids of the pull request's surfaces that are due."""
        with self.context.store.read() as tables:
            return {one.id for one in tables.surfaces.of_pull("acme/infra", pull) if one.due_at}
