"""`towpath ci run`: carry out one run for a bot with a server, and hand back its result."""

from __future__ import annotations

from bot.actions.runner import Runner
from bot.cli.ci_context import Job, job
from bot.domain.refusal import Refusal
from bot.domain.runner import RunnerRequest, RunnerResult, read_request, sealed_for, write_result
from bot.errors import UserError
from bot.services.actions import push_or_return
from bot.services.runner import JobTools, carry_out
from bot.vault import Vault


def carry_out_request(runner: Runner) -> bool:
    """Plan, or apply a reviewed plan, as the bot's signed request says. Returns whether that succeeded.

    Raises Refusal for a request that the bot did not sign, or not for this job.
    """
    if runner.required("GITHUB_RUN_ATTEMPT") != "1":
        raise Refusal("again", "A run of the bot's is carried out once.", "Ask the bot again.")
    if not runner.variables.get("TOWPATH_SECRET_KEY"):
        raise UserError(
            "The secret TOWPATH_ACTIONS_KEY is not set in this job's GitHub environment.",
            next_step="Set it there to the bot's TOWPATH_ACTIONS_KEY, see docs/actions.md.",
        )
    with job(runner) as found:
        request = _request(found)
        tools = JobTools(
            found.keys[0],
            found.workshop.changes,
            lambda: push_or_return(found.context, request.target, runner.seed),
        )
        with runner.group(f"{request.phase} {request.target}"):
            result = carry_out(found.context, request, tools)
            for line in result.log:
                runner.print(line)
        _hand_back(found, request, result)
    if result.outcome in ("planned", "applied"):
        return True
    runner.annotate("error", result.message, title=f"{request.phase} {request.target}")
    return False


def _request(found: Job) -> RunnerRequest:
    runner = found.runner
    request = read_request(runner.required("TOWPATH_CI_REQUEST"), found.keys)
    if request is None:
        raise Refusal(
            "forged-request",
            "This request is not signed with the key of the bot.",
            "Ask the bot by a command; it starts this workflow itself.",
        )
    target = request.target
    named = f"{request.phase} {target.environment} {target.stack}"
    if target.repository != runner.repository or named != runner.required("TOWPATH_CI_JOB"):
        raise Refusal("other-job", "This request is for another job.", "Ask the bot by a command.")
    return request


def _hand_back(found: Job, request: RunnerRequest, result: RunnerResult) -> None:
    """Leave the sealed result for the step that uploads it."""
    context = sealed_for(request.run_id, request.phase)
    sealed = Vault(found.keys[0]).seal(write_result(result), context)
    path = found.runner.temporary / f"towpath-result-{request.run_id}"
    path.write_bytes(sealed)
    found.runner.output("result", str(path))
