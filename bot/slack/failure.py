"""Slack's refusals and silences as ChatError."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from http.client import HTTPException
from urllib.error import URLError

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.domain.ports.chat import ChatError

PAUSE = 5.0
"""Seconds to wait where Slack does not say how long."""

_PASSING = {
    "accesslimited",
    "fatal_error",
    "internal_error",
    "ratelimited",
    "request_timeout",
    "rollup_error",
    "service_unavailable",
    "team_added_to_org",
}
"""Slack's error words after which the same call may succeed."""


@contextlib.contextmanager
def explained(what: str) -> Iterator[None]:
    """Turns whatever a call to Slack raises into ChatError; `what` names the call."""
    try:
        yield
    except SlackApiError as error:
        raise refusal(what, error) from error
    except (TimeoutError, URLError, HTTPException, OSError) as error:
        reason = getattr(error, "reason", error)
        code = "timeout" if isinstance(reason, TimeoutError) else "unreachable"
        raise ChatError(
            f"Slack did not answer {what}: {type(reason).__name__}", code=code, retry_after=PAUSE
        ) from error
    except (SlackClientError, AttributeError, ValueError) as error:
        raise ChatError(f"Slack's answer to {what} cannot be read", code="invalid_response") from error


def refusal(what: str, error: SlackApiError) -> ChatError:
    """The ChatError for an answer that is not ok."""
    status, headers = int(error.response.status_code), error.response.headers
    word = error.response.data.get("error") if isinstance(error.response.data, dict) else None
    if status >= 500:
        word = f"http_{status}"
    elif not isinstance(word, str) or not word.replace("_", "").isalnum():
        word = "invalid_response"
    details = error.response.data.get("response_metadata") if isinstance(error.response.data, dict) else None
    hints = details.get("messages") if isinstance(details, dict) else None
    message = f"Slack refused {what}: {word}" + (f" ({'; '.join(map(str, hints))})" if hints else "")
    return ChatError(message, code=word, retry_after=wait(status, word, headers.get("Retry-After", "")))


def wait(status: int, word: str, retry_after: str) -> float | None:
    """Seconds after which to try again, or None where trying again is no use."""
    if status == 429 or status >= 500 or word in _PASSING:
        return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else PAUSE
    return None
