"""State: where a target's state is, its versions, locks, moves, and uploads that failed."""

from bot.services.states.backend_changes import backend_change_notes
from bot.services.states.compare import compare_states
from bot.services.states.location import backend_of, foreign_lock, lock_state
from bot.services.states.migrate import MigratedState, migrate_state
from bot.services.states.place import PlacedState, placed_state
from bot.services.states.reconcile import reconcile_state
from bot.services.states.state_locks import find_state_lock, refuse_running, release_state_lock
from bot.services.states.unsaved import NAME as UNSAVED_NAME
from bot.services.states.unsaved import clear_unsaved, keep_unsaved, push_unsaved, unsaved_notes
from bot.services.states.unsaved_expiry import expire_unsaved
from bot.services.states.write_access import refuse_claimed

__all__ = [
    "UNSAVED_NAME",
    "MigratedState",
    "PlacedState",
    "backend_change_notes",
    "backend_of",
    "clear_unsaved",
    "compare_states",
    "expire_unsaved",
    "find_state_lock",
    "foreign_lock",
    "keep_unsaved",
    "lock_state",
    "migrate_state",
    "placed_state",
    "push_unsaved",
    "reconcile_state",
    "refuse_claimed",
    "refuse_running",
    "release_state_lock",
    "unsaved_notes",
]
