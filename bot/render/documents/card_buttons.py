"""The buttons of one environment on the card."""

from __future__ import annotations

from bot.domain.chat import Status, TargetStatus
from bot.domain.target import command
from bot.render.document import Button
from bot.render.documents.plan import summary_of
from bot.render.documents.target_state import current_run, target_state


def row_buttons(row: TargetStatus, status: Status) -> tuple[Button, ...]:
    """Return the next step, cancel or unlock, and the log."""
    run = current_run(row)
    latest = run or row.run
    log = (status.links or {}).get(latest.id, "") if latest else ""
    buttons = _next_step(row, status.pull.head_sha if status.pull else "")
    if run is not None and run.pull == row.pull and not run.cancel_by:
        question = "Terraform is asked to stop. Changes in progress may be left incomplete."
        buttons.append(_confirmed("Cancel", "cancel", row, question))
    elif run is None and row.lock is not None and row.lock.pull in (0, row.pull):
        buttons.append(_confirmed("Unlock", "unlock", row, "Others can then apply here."))
    if log:
        buttons.append(Button("Log", url=log))
    return tuple(buttons)


def _next_step(row: TargetStatus, head: str) -> list[Button]:
    """Return a button for the next step, unless it must be typed or is someone else's to take. head: the latest commit,
    which an apply names: a card may be out of date when it is clicked."""
    step, verb = row.next_step[1:], row.next_step[1:].partition(" ")[0]
    if verb in ("apply", "revert") and target_state(row) in ("ready", "waiting") and "--" not in step:
        label = f"{verb.capitalize()} {row.target}"
        question = _apply_question(row, verb.capitalize())
        commit = head[:12] if verb == "apply" else ""
        return [Button(label, step, style="primary", confirm=question, commit=commit)]
    if verb == "plan":
        return [Button(f"Plan {row.target}", step)]
    if verb == "unhold" and row.hold is not None:
        question = f"Commits that contain {row.hold.reverted[:7]} can then be applied here again."
        return [_confirmed("Unhold", "unhold", row, question)]
    if verb == "push-state" and row.unsaved is not None:
        question = f"This writes the state that the apply of #{row.unsaved.pull} left to the backend."
        return [_confirmed("Push state of", "push-state", row, question)]
    return []


def _confirmed(label: str, verb: str, row: TargetStatus, question: str) -> Button:
    return Button(f"{label} {row.target}", command(verb, row.target)[1:], style="danger", confirm=question)


def _apply_question(row: TargetStatus, verb: str) -> str:
    summary = summary_of(row.plan)
    numbers = summary.headline if summary else "the planned changes"
    if row.plan is not None and row.plan.reverts:
        return f"{verb} {row.target} to {row.plan.commit[:7]}: {numbers}?"
    commit = f" for {row.plan.commit[:7]}" if row.plan else ""
    return f"{verb} the plan{commit} to {row.target}: {numbers}?"
