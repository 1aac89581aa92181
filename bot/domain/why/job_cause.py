"""Find the cause of a failed GitHub Actions job, from its conclusion and its log."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.domain.why.causes import Remedies, cause
from bot.domain.why.findings import end_of, first_known, holder_of, place_of
from bot.domain.why.model import Cause, CauseKind, WorkflowJob
from bot.domain.why.patterns import detail_of, lock_fields, recognise
from bot.domain.why.terraform_errors import parse_error, split_errors

_CONCLUSIONS: dict[str, CauseKind] = {"timed_out": "timed-out", "startup_failure": "workflow-invalid"}
"""GitHub's conclusions of jobs that say why."""
_LOCK_ID = re.compile(r"[A-Za-z0-9-]{1,80}")
"""What may be pasted into a shell: whoever wrote the log could have put a command there."""


def cause_of_job(job: WorkflowJob, log: Sequence[str], repository: str) -> Cause:
    """Return the cause of a failed GitHub Actions job. Its log is somebody else's text."""
    errors = [parse_error(one) for one in split_errors("\n".join(log))]
    text = "\n".join(one.text for one in errors) or end_of(log)
    kind = first_known(errors) or recognise(end_of(log)) or "unknown"
    kind = _CONCLUSIONS.get(job.conclusion, kind)
    if kind == "sandbox":
        kind = "unknown"  # it is not Towpath's sandbox
    if kind == "unknown" and any(one.file for one in errors):
        kind = "configuration"
    held = lock_fields(text)
    lock_id = held.get("ID", "") if _LOCK_ID.fullmatch(held.get("ID", "")) else ""
    remedies = Remedies(
        again=f"`gh run rerun {job.run_id} --failed --repo {repository}`",
        unlock=f"`terraform force-unlock {lock_id}`" if lock_id else "`terraform force-unlock` with its id",
        credentials="the credentials of the workflow",
        variables="the workflow (`TF_VAR_…`) or a var file",
        limit="`timeout-minutes` of the job",
    )
    by = {"configuration": place_of(errors), "state-locked": holder_of(held)}.get(kind, "")
    return cause(kind, remedies, detail=detail_of(kind, text), by=by)
