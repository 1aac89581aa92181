"""What GitHub Actions does by itself: it runs workflows."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

from bot.playground.github.state import State
from bot.playground.github.workflow_records import Job, WorkflowRun, WorkflowStep
from bot.playground.github.workflows import written_log


class WorkflowActions:
    """Runs of workflows. They take `owner/name`."""

    state: State

    def run_workflow(
        self,
        full_name: str,
        sha: str,
        jobs: Mapping[str, Sequence[WorkflowStep]],
        *,
        workflow: str = "CI",
        branch: str = "",
        event: str = "pull_request",
    ) -> WorkflowRun:
        """Run a workflow on a commit, which ends at once. jobs: name to steps. Raises Refusal 404."""
        state = self.state
        repo = state.repo(full_name)
        with state.change():
            earlier = [
                one for one in state.workflow_runs.values() if (one.repo, one.workflow) == (repo, workflow)
            ]
            run = WorkflowRun(
                state.next_id(),
                repo,
                workflow,
                earlier[0].workflow_id if earlier else state.next_id(),
                len(earlier) + 1,
                sha,
                branch,
                event,
                state.now(),
            )
            for name, steps in jobs.items():
                job = Job(state.next_id(), name, tuple(steps), state.now(), b"")
                job.log = written_log(job.steps, job)
                run.jobs.append(job)
            state.workflow_runs[run.id] = run
        return run

    def queued_workflow(self) -> WorkflowRun | None:
        """Return the oldest dispatched run that no runner has taken, or that was cancelled before."""
        with self.state.lock:
            runs = [one for one in self.state.workflow_runs.values() if one.status == "queued"]
        return runs[0] if runs else None

    def take_workflow(self, run: WorkflowRun) -> None:
        """Let a runner begin it."""
        with self.state.change():
            run.status = "in_progress"

    def end_workflow(self, run: WorkflowRun, conclusion: str, artifacts: Mapping[str, bytes]) -> None:
        """End a dispatched run. artifacts: name to the content of the one file in it."""
        packed: dict[str, tuple[int, bytes]] = {}
        for name, content in artifacts.items():
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(name, content)
            packed[name] = (self.state.next_id(), file.getvalue())
        with self.state.change():
            run.artifacts, run.status, run.ended = packed, "completed", conclusion
