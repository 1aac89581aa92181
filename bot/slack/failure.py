"""Convert Slack's errors and timeouts to ChatError."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from http.client import HTTPException
from urllib.error import URLError

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.domain.ports.chat import ChatError

DEFAULT_PAUSE = 5.0
"""Seconds to wait if Slack does not say how long."""

_TRANSIENT = {
    "accesslimited",
    "fatal_error",
    "internal_error",
    "ratelimited",
    "request_timeout",
    "rollup_error",
    "service_unavailable",
    "team_added_to_org",
}
"""Slack's error codes after which the same call may succeed."""


@contextlib.contextmanager
def chat_errors(call: str) -> Iterator[None]:
    """Convert whatever a call to Slack raises to ChatError. call: its name, such as `chat.postMessage`."""
    try:
        yield
    except SlackApiError as error:
        raise refusal(call, error) from error
    except (TimeoutError, URLError, HTTPException, OSError) as error:
        reason = getattr(error, "reason", error)
        code = "timeout" if isinstance(reason, TimeoutError) else "unreachable"
        raise ChatError(
            f"Slack did not answer {call}: {type(reason).__name__}", code=code, retry_after=DEFAULT_PAUSE
        ) from error
    except (SlackClientError, AttributeError, ValueError) as error:
        raise ChatError(f"Slack's answer to {call} cannot be read", code="invalid_response") from error


def refusal(call: str, error: SlackApiError) -> ChatError:
    """Return the ChatError for an answer that is not ok."""
    status, headers = int(error.response.status_code), error.response.headers
    code = error.response.data.get("error") if isinstance(error.response.data, dict) else None
    if status >= 500:
        code = f"http_{status}"
    elif not isinstance(code, str) or not code.replace("_", "").isalnum():
        code = "invalid_response"
    details = error.response.data.get("response_metadata") if isinstance(error.response.data, dict) else None
    hints = details.get("messages") if isinstance(details, dict) else None
    message = f"Slack refused {call}: {code}" + (f" ({'; '.join(map(str, hints))})" if hints else "")
    return ChatError(message, code=code, retry_after=pause(status, code, headers.get("Retry-After", "")))


def pause(status: int, code: str, retry_after: str) -> float | None:
    """Return the seconds to wait before trying again, or None if that would not help.

    retry_after: the header of that name, or "".
    """
    if status == 429 or status >= 500 or code in _TRANSIENT:
        return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else DEFAULT_PAUSE
    return None
