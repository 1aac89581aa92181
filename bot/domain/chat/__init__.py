"""Chat commands: finding them in comments, their grammar, incoming events and typed replies.

Start at `events` for what comes in and at `replies` for what goes out."""

from bot.domain.chat.comment_parser import OTHER_BOTS, Line, find_commands
from bot.domain.chat.events import (
    AppInstalled,
    ApprovalAnswered,
    CheckRerequested,
    ForceAcknowledged,
    MergeGroupRequested,
    Message,
    PullChanged,
    Pushed,
    RepositorySeen,
    Request,
    Reviewed,
)
from bot.domain.chat.grammar import Usage
from bot.domain.chat.replies import (
    ApprovalRequest,
    CommandHelp,
    Drifted,
    Help,
    History,
    InternalError,
    Late,
    LinkCode,
    Locked,
    Notice,
    Reply,
    Result,
    RunsStarted,
    StateComparison,
    Unlocked,
)
from bot.domain.chat.status import Status, TargetStatus
from bot.domain.chat.tokenizer import Word, find_reference, split_words

__all__ = [
    "OTHER_BOTS",
    "AppInstalled",
    "ApprovalAnswered",
    "ApprovalRequest",
    "CheckRerequested",
    "CommandHelp",
    "Drifted",
    "ForceAcknowledged",
    "Help",
    "History",
    "InternalError",
    "Late",
    "Line",
    "LinkCode",
    "Locked",
    "MergeGroupRequested",
    "Message",
    "Notice",
    "PullChanged",
    "Pushed",
    "Reply",
    "RepositorySeen",
    "Request",
    "Result",
    "Reviewed",
    "RunsStarted",
    "StateComparison",
    "Status",
    "TargetStatus",
    "Unlocked",
    "Usage",
    "Word",
    "find_commands",
    "find_reference",
    "split_words",
]
