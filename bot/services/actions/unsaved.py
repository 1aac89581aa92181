"""A state that Terraform could not upload: nothing of it stays in the job's database, so it is pushed at once or handed out."""

from __future__ import annotations

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from bot.domain.actors import SYSTEM
from bot.domain.run import Origin
from bot.domain.target import Target
from bot.errors import TransientError, UserError
from bot.services.context import Context
from bot.services.states import push_unsaved

PATIENCE = 180.0
"""Seconds for which a backend that does not answer is tried again."""


def push_or_return(context: Context, target: Target, seed: str) -> bytes | None:
    """Push the state that an apply of `target` left behind, if there is one. Returns it if that is not possible: the job
    must not end without it."""
    with context.store.read() as tables:
        left = next(iter(tables.unsaved.open([target])), None)
        data = tables.unsaved.data(left.id) if left else None
    if data is None:
        return None
    patient = Retrying(
        retry=retry_if_exception_type(TransientError), wait=wait_fixed(10.0), stop=stop_after_delay(PATIENCE)
    )
    try:
        patient(push_unsaved, context, target, SYSTEM, Origin(delivery=seed))
    except (UserError, RetryError):
        return data
    return None
