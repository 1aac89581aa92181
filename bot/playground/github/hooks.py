"""An App's deliveries over the API, and what minimises comments: the parts that need more than the state."""

from __future__ import annotations

from typing import Any

from bot.playground.github import views
from bot.playground.github.call import Call, Reply, Routes
from bot.playground.github.comments import minimise
from bot.playground.github.state import Refusal
from bot.playground.github.webhooks import Delivery, Webhooks

_CLASSIFIERS = ("ABUSE", "DUPLICATE", "OFF_TOPIC", "OUTDATED", "RESOLVED", "SPAM")


def _view(one: Delivery) -> dict[str, Any]:
    return {
        "id": one.id,
        "guid": one.guid,
        "delivered_at": views.stamp(one.delivered_at),
        "redelivery": one.redelivery,
        "duration": one.duration,
        "status": one.status,
        "status_code": one.status_code,
        "event": one.event,
        "action": one.action,
        "installation_id": one.installation_id,
        "repository_id": one.repository_id,
        "throttled_at": None,
    }


def routes(webhooks: Webhooks) -> Routes:
    """The routes on deliveries, newest first and paged by cursor, as GitHub does."""

    def mine(call: Call) -> list[Delivery]:
        return [one for one in reversed(webhooks.log) if one.hook is call.app.hook]

    def listed(call: Call) -> Reply:
        size = min(max(int(call.query.get("per_page", "30")), 1), 100)
        cursor = int(call.query["cursor"]) if call.query.get("cursor", "").isdecimal() else None
        rest = [one for one in mine(call) if cursor is None or one.id <= cursor]
        headers = {}
        if len(rest) > size:
            headers["link"] = f'<{call.at(cursor=str(rest[size].id))}>; rel="next"'
        return Reply([_view(one) for one in rest[:size]], headers=headers)

    def attempt(call: Call) -> Reply:
        number = call.number("delivery")
        if not any(one.id == number for one in mine(call)):
            raise Refusal(404, "Not Found")
        webhooks.redeliver(number)
        return Reply({}, 202)

    return [
        ("GET", "/app/hook/deliveries", listed),
        ("POST", "/app/hook/deliveries/{delivery}/attempts", attempt),
    ]


def graphql(call: Call) -> Reply:
    """The one mutation that has no REST twin: minimizeComment. Anything else is an error of GraphQL's (status 200)."""
    call.user  # noqa: B018 (nobody is refused with 401)
    query, variables = call.text("query"), call.body.get("variables") or {}
    node, state = str(variables.get("id", "")), call.state
    classifier = next((word for word in _CLASSIFIERS if word in query), None)
    if "minimizeComment" not in query or classifier is None:
        return _errors("undefinedField", "The stand-in knows the mutation minimizeComment only")
    number = node.removeprefix("IC_")
    comment = state.comments.get(int(number)) if number.isdecimal() else None
    if comment is None:
        return _errors("NOT_FOUND", f"Could not resolve to a node with the global id of '{node}'")
    try:
        minimise(state, comment, call.actor, classifier)
    except Refusal as refusal:
        return _errors("FORBIDDEN", refusal.message)
    return Reply({"data": {"minimizeComment": {"minimizedComment": {"isMinimized": True}}}})


def _errors(kind: str, message: str) -> Reply:
    return Reply({"data": None, "errors": [{"type": kind, "message": message, "path": ["minimizeComment"]}]})
