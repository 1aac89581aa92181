"""API routes of an App's webhook deliveries."""

from __future__ import annotations

from typing import Any

from bot.playground.github import views
from bot.playground.github.call import Call, Reply, Routes
from bot.playground.github.state import Refusal
from bot.playground.github.webhooks import Delivery, Webhooks


def _view(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": views.timestamp(delivery.delivered_at),
        "redelivery": delivery.redelivery,
        "duration": delivery.duration,
        "status": delivery.status,
        "status_code": delivery.status_code,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": delivery.installation_id,
        "repository_id": delivery.repository_id,
        "throttled_at": None,
    }


def routes(webhooks: Webhooks) -> Routes:
    """Return the routes. Deliveries are listed newest first and paged by cursor, as on GitHub."""

    def deliveries(call: Call) -> list[Delivery]:
        return [delivery for delivery in reversed(webhooks.log) if delivery.hook is call.app.hook]

    def listed(call: Call) -> Reply:
        size = min(max(int(call.query.get("per_page", "30")), 1), 100)
        cursor = int(call.query["cursor"]) if call.query.get("cursor", "").isdecimal() else None
        rest = [delivery for delivery in deliveries(call) if cursor is None or delivery.id <= cursor]
        headers = {}
        if len(rest) > size:
            headers["link"] = f'<{call.url_with(cursor=str(rest[size].id))}>; rel="next"'
        return Reply([_view(delivery) for delivery in rest[:size]], headers=headers)

    def attempt(call: Call) -> Reply:
        number = call.number("delivery")
        if not any(delivery.id == number for delivery in deliveries(call)):
            raise Refusal(404, "Not Found")
        webhooks.redeliver(number)
        return Reply({}, 202)

    return [
        ("GET", "/app/hook/deliveries", listed),
        ("POST", "/app/hook/deliveries/{delivery}/attempts", attempt),
    ]
