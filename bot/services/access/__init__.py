"""Access: links between Slack and GitHub accounts, and people's own Terraform on the built-in backend."""

from bot.services.access.credentials import SignIn, sign_in, sign_out
from bot.services.access.identities import (
    ask_to_confirm,
    confirm_link,
    decline_link,
    offer_link,
    resolve_actor,
)
from bot.services.access.linked import unlink
from bot.services.access.local_runs import LocalRuns
from bot.services.access.membership import refuse_other_workspace
from bot.services.access.state_place import look_up_state

__all__ = [
    "LocalRuns",
    "SignIn",
    "ask_to_confirm",
    "confirm_link",
    "decline_link",
    "look_up_state",
    "offer_link",
    "refuse_other_workspace",
    "resolve_actor",
    "sign_in",
    "sign_out",
    "unlink",
]
