"""A runner that carries out workflows from their YAML, one step after the other, as GitHub does: expressions, `if`,
outputs, the files of each step, masks of nothing. Each `run` is a script of `bash -e`, in a clean environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.story.workflow_expressions import evaluate, fill

UPLOAD = re.compile(r"actions/upload-artifact@[0-9a-f]{40}")


@dataclass
class JobResult:
    """How a job ended. outputs: of the job. log: what its steps wrote to standard output and error."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""


@dataclass
class WorkflowRun:
    jobs: dict[str, JobResult] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)

    @property
    def log(self) -> str:
        return "\n".join(job.log for job in self.jobs.values())


@dataclass
class WorkflowRunner:
    """directory: of the runner. environment: what every process on it sees. secrets, vars: of the repository; for a job with
    an `environment`, those under its name come on top. token: issues a token with a job's permissions. cancelled: whether somebody cancelled it
    by now."""

    directory: Path
    environment: Mapping[str, str]
    github: Mapping[str, Any]
    token: Callable[[Mapping[str, str]], str]
    secrets: Mapping[str, str] = field(default_factory=dict)
    vars: Mapping[str, str] = field(default_factory=dict)
    number: int = 0
    cancelled: Callable[[], bool] = lambda: False

    def run(
        self, workflow: str, event_name: str, event: Mapping[str, Any], failed: WorkflowRun | None = None
    ) -> WorkflowRun:
        """Carry out all jobs, each after those that it needs. failed: the run whose failed jobs are run again; the others keep
        their outputs."""
        content = yaml.safe_load(workflow)
        assert event_name in content[True]  # YAML reads `on` as true
        assert content["permissions"] == {}
        self.number += 1
        done = WorkflowRun()
        for name, job in content["jobs"].items():
            if failed is not None and failed.jobs[name].result == "success":
                done.jobs[name] = failed.jobs[name]
                continue
            needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
            assert set(needs) <= set(done.jobs), "jobs are written in their order"
            github = {
                **self.github,
                "event_name": event_name,
                "event": event,
                "token": self.token(job["permissions"]),
            }
            contexts = {
                "github": github,
                "secrets": self.secrets,
                "vars": self.vars,
                "needs": {one: {"outputs": done.jobs[one].outputs} for one in needs},
                "steps": {},
                "inputs": event.get("inputs", {}),
            }
            wanted = all(done.jobs[one].result == "success" for one in needs)
            if not wanted or not evaluate(str(job.get("if", "true")), contexts, failed=False):
                done.jobs[name] = JobResult("skipped")
                continue
            done.jobs[name] = _Job(self, name, job, contexts, done.artifacts).run()
        return done


class _Job:
    def __init__(
        self,
        runner: WorkflowRunner,
        name: str,
        job: Mapping[str, Any],
        contexts: dict[str, Any],
        artifacts: dict[str, Path],
    ) -> None:
        self._runner, self._job, self._contexts, self._artifacts = runner, job, contexts, artifacts
        self._home = runner.directory / f"{runner.number}-{name}"
        self._path: list[str] = []
        for part in ("temp", "work"):
            (self._home / part).mkdir(parents=True)
        self._event = self._home / "event.json"
        self._event.write_text(json.dumps(contexts["github"]["event"]))
        self._name = name
        self.ended = JobResult("success")

    def run(self) -> JobResult:
        for number, step in enumerate(self._job["steps"]):
            failed = self.ended.result != "success"
            condition = str(step.get("if", "success()"))
            if not evaluate(condition, self._contexts, failed=failed) or (
                failed and "cancelled()" not in condition and "always()" not in condition
            ):
                continue
            if "uses" in step:
                self._use(step)
            else:
                self._run(step, self._home / f"step-{number}")
        outputs = self._job.get("outputs", {})
        self.ended.outputs = {name: fill(text, self._contexts) for name, text in outputs.items()}
        return self.ended

    def _run(self, step: Mapping[str, Any], files: Path) -> None:
        files.mkdir()
        for name in ("output", "path", "env", "summary"):
            (files / name).touch()
        script = files / "script.sh"
        script.write_text(fill(step["run"], self._contexts))
        with (files / "log").open("w+") as log:
            process = subprocess.Popen(
                ["bash", "-e", script],
                cwd=self._home / "work",
                env=self._environment(step, files),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            cancelled = self._wait(process)
        self.ended.log += (files / "log").read_text()
        self.ended.summary += (files / "summary").read_text()
        self._path = [*(files / "path").read_text().split(), *self._path]
        if "id" in step:
            self._contexts["steps"][step["id"]] = {"outputs": _outputs((files / "output").read_text())}
        if cancelled or process.returncode:
            self.ended.result = "cancelled" if cancelled else "failure"

    def _wait(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait for a step; return whether it was cancelled. GitHub signals the step's first process alone."""
        until = time.monotonic() + 170
        while not self._runner.cancelled():
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
                return False
            assert time.monotonic() < until, "a step takes too long"
        for number, patience in ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, 60)):
            process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience)
                break
        return True

    def _environment(self, step: Mapping[str, Any], files: Path) -> dict[str, str]:
        github, given = self._contexts["github"], dict(self._runner.environment)
        given |= {name: fill(str(text), self._contexts) for name, text in step.get("env", {}).items()}
        return {
            **given,
            "PATH": os.pathsep.join([*self._path, given["PATH"]]),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": github["api_url"],
            "GITHUB_SERVER_URL": github["server_url"],
            "GITHUB_REPOSITORY": github["repository"],
            "GITHUB_EVENT_NAME": github["event_name"],
            "GITHUB_EVENT_PATH": str(self._event),
            "GITHUB_RUN_ID": str(1000 + self._runner.number),
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_JOB": self._name,
            "GITHUB_OUTPUT": str(files / "output"),
            "GITHUB_PATH": str(files / "path"),
            "GITHUB_ENV": str(files / "env"),
            "GITHUB_STEP_SUMMARY": str(files / "summary"),
            "RUNNER_TEMP": str(self._home / "temp"),
        }

    def _use(self, step: Mapping[str, Any]) -> None:
        assert UPLOAD.fullmatch(step["uses"]), "the only action, pinned by its commit"
        given = {name: fill(str(text), self._contexts) for name, text in step["with"].items()}
        kept = self._home / "artifacts" / given["name"]
        if Path(given["path"]).is_dir():
            shutil.copytree(given["path"], kept)
        else:
            kept.mkdir(parents=True)
            shutil.copy(given["path"], kept)
        self._artifacts[given["name"]] = kept


def _outputs(text: str) -> dict[str, str]:
    return {
        found["name"]: found["value"]
        for found in re.finditer(r"(?P<name>\w+)<<(?P<end>\w+)\n(?P<value>.*?)\n(?P=end)\n", text, re.DOTALL)
    }
