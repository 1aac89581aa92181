"""Rules for access outside of runs: links to pages, and a person's own Terraform on the built-in backend."""

from bot.domain.access.links import GRACE, link_expires
from bot.domain.access.local_access import local_run_refusal, refuse_held, refuse_local_run, refuse_lost

__all__ = [
    "GRACE",
    "link_expires",
    "local_run_refusal",
    "refuse_held",
    "refuse_local_run",
    "refuse_lost",
]
