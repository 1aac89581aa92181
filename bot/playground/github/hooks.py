"""An App's deliveries over the API."""

from __future__ import annotations

from typing import Any

from bot.playground.github import views
from bot.playground.github.call import Call, Reply, Routes
from bot.playground.github.state import Refusal
from bot.playground.github.webhooks import Delivery, Webhooks


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
