"""GitHub with workflows and no bot: the stand-in, clouds, a bucket for states, and a runner."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pyrage import x25519

from bot.actions.workflows import Options, workflows
from bot.domain.policy import parse_policy
from bot.playground import sample
from bot.playground.github import access
from bot.playground.github.records import Repo
from bot.playground.github.server import GitHubStandIn
from bot.playground.provider.cloud import Cloud
from bot.playground.provider.health_service import HealthService
from bot.playground.provider.install import install
from bot.sandbox import landlock
from tests.story.bucket import Bucket
from tests.story.workflow_runner import WorkflowRun, WorkflowRunner

REPOSITORY, TOWPATH = "acme/infra", "acme/towpath"
GRANTED = {"metadata": "read", "contents": "read", "pull_requests": "write", "issues": "write"}
"""What the workflows' `contents: read` and `pull-requests: write` come to: GitHub takes the latter for comments as well."""
POLICY = """[stack.infra]
root = "infra"
when_modified = ["infra/**", "envs/*.tfvars"]
[stack.infra.backend]
kind = "s3"
[env.staging]
on_pull_request = "plan"
smoke = [{ http = "{output.url}/healthz", within = "5s", every = "1s" }]
artifacts = ["kubeconfig"]
artifact_recipients = ["RECIPIENT"]
[env.prod]
on_pull_request = "plan"
promote_from = "staging"
approvals = { count = 1 }
"""
MAKEFILE = """setup:
\t@mkdir -p .venv/bin
\t@printf '#!/bin/sh\\nPYTHONPATH="PATHS" exec INTERPRETER -m bot "$$@"\\n' > .venv/bin/towpath
\t@chmod +x .venv/bin/towpath
"""


class ActionsWorld:
    """People act through `github`; `pull` and `push` carry out the workflows for what they did."""

    def __init__(
        self, directory: Path, bucket: Bucket, policy: str = POLICY, more: Mapping[str, bytes] | None = None
    ) -> None:
        """more: files of the repository besides the sample's."""
        self._more = more or {}
        self.directory, self.bucket = directory, bucket
        self.identity = x25519.Identity.generate()
        self.policy = policy.replace("RECIPIENT", str(self.identity.to_public()))
        self.github = GitHubStandIn(directory / "github")
        self.key = secrets.token_hex(32)
        self.clouds: dict[str, Cloud] = {}
        self.service = HealthService(self.clouds)
        self.number = 0

    def __enter__(self) -> ActionsWorld:
        self.github.start()
        self.service.start()
        self._app = self.github.install_app("acme", slug="github-actions", permissions=GRANTED)
        for name in ("staging", "prod"):
            self.clouds[name] = Cloud.create(self.directory / "clouds" / name, self._cloud_token(name))
        paths = os.pathsep.join(
            filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")))
        )
        makefile = MAKEFILE.replace("INTERPRETER", sys.executable).replace("PATHS", paths)
        self.github.create_repo(TOWPATH, {"Makefile": makefile})
        files = sample.files({name: self.service.address(name) for name in self.clouds})
        files |= {**self._more, "envs/environments.toml": self.policy.encode()}
        roles = {"ann": "write", "bob": "maintain"}
        self.github.create_repo(REPOSITORY, files | self._workflows(), private=True, roles=roles)
        return self

    def __exit__(self, *_error: object) -> None:
        self.service.stop()
        self.github.stop()

    def propose(self, change: str) -> int:
        """Open a pull request of ann's with one of the sample's changes, and let its workflow run."""
        branch = f"ann/{change}"
        self.github.commit_files(REPOSITORY, branch, sample.change(change), author="ann", message=change)
        return self.github.open_pull(REPOSITORY, author="ann", head=branch, title=change)

    def change(self, files: Mapping[str, bytes | str], branch: str) -> int:
        """Open a pull request of ann's that changes files."""
        self.github.commit_files(REPOSITORY, f"ann/{branch}", files, author="ann", message=branch)
        return self.github.open_pull(REPOSITORY, author="ann", head=f"ann/{branch}", title=branch)

    def plan(self, number: int) -> WorkflowRun:
        """Run terraform-plan.yml for a pull request, as it is now."""
        pull = self.github.state.pulls[
            next(
                k
                for k, one in self.github.state.pulls.items()
                if one.number == number and one.repo.full_name == REPOSITORY
            )
        ]
        event = {
            "number": number,
            "pull_request": {
                "number": number,
                "head": {"sha": pull.head_sha, "repo": {"full_name": REPOSITORY}},
            },
        }
        return self._runner().run(self.workflow("terraform-plan.yml"), "pull_request", event)

    def merge(self, number: int, method: str = "squash") -> tuple[str, str]:
        """Let bob merge; return the branch's commits before and after."""
        before = self.tip()
        return before, self.github.merge_pull(REPOSITORY, number, actor="bob", method=method)

    def apply(self, before: str, after: str, failed: WorkflowRun | None = None) -> WorkflowRun:
        """Run terraform-apply.yml for a push to main, or the failed jobs of an earlier run of it again."""
        event = {"ref": "refs/heads/main", "before": before, "after": after}
        return self._runner().run(self.workflow("terraform-apply.yml"), "push", event, failed)

    def tip(self) -> str:
        return _tip(self.github.state.repo(REPOSITORY))

    def workflow(self, name: str) -> str:
        """The file on the default branch."""
        return _git(self.github.state.repo(REPOSITORY), "show", f"main:.github/workflows/{name}")

    def comments(self, number: int) -> list[str]:
        timeline = self.github.timeline(REPOSITORY, number)
        return [entry["body"] for entry in timeline if entry["kind"] == "comment" and entry["bot"]]

    def _workflows(self) -> dict[str, bytes]:
        """What `towpath setup actions` writes for the policy."""
        source = self.github.state.repo(TOWPATH)
        names = [f"{one.upper()}_PLAYGROUND_{what}" for one in self.clouds for what in ("CLOUD_DIR", "TOKEN")]
        given = Options(f"{self.github.url}/{TOWPATH}.git@{_tip(source)}", secrets=tuple(names))
        written = workflows(parse_policy(self.policy, "test"), given)
        return {f".github/workflows/{name}": text.encode() for name, text in written.items()}

    def _runner(self) -> WorkflowRunner:
        self.number += 1
        provider = self.directory / "provider"
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment |= {
            "TOWPATH_TERRAFORM_CLI_CONFIG": str(install(provider)),
            "TOWPATH_SANDBOX": "landlock" if landlock.abi() else "off",
            "TOWPATH_SANDBOX_READ": str(provider),
            "TOWPATH_SANDBOX_WRITE": str(self.directory / "clouds"),
            "TOWPATH_GITHUB_WRITES_PER_MINUTE": "8000",
        }
        given = {
            "TOWPATH_SECRET_KEY": self.key,
            "TOWPATH_S3_ACCESS_KEY_ID": "access-key-of-the-states",
            "TOWPATH_S3_SECRET_ACCESS_KEY": "secret-key-of-the-states",
        }
        for name, cloud in self.clouds.items():
            given[f"{name.upper()}_PLAYGROUND_CLOUD_DIR"] = str(cloud.directory)
            given[f"{name.upper()}_PLAYGROUND_TOKEN"] = self._cloud_token(name)
        return WorkflowRunner(
            self.directory / "runners" / str(self.number),
            environment,
            {"api_url": self.github.url, "server_url": self.github.url, "repository": REPOSITORY},
            self._token,
            given,
            {
                "TOWPATH_S3_BUCKET": self.bucket.name,
                "TOWPATH_S3_ENDPOINT_URL": self.bucket.address,
                "TOWPATH_S3_REGION": "us-east-1",
            },
            number=self.number * 100,
        )

    def _token(self, permissions: Mapping[str, str]) -> str:
        assert permissions == {"contents": "read", "pull-requests": "write"}, "no more than is needed"
        repo = self.github.state.repo(REPOSITORY)
        return access.issue_token(self.github.state, self._app, GRANTED, [repo])[0]

    def _cloud_token(self, name: str) -> str:
        return f"cloud-token-of-{name}-{self.key[:12]}"


def _git(repo: Repo, *words: str) -> str:
    return subprocess.run(["git", "-C", repo.path, *words], capture_output=True, text=True, check=True).stdout


def _tip(repo: Repo) -> str:
    return _git(repo, "rev-parse", "main").strip()
