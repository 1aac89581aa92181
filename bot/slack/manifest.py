"""The Slack app manifest, which an administrator pastes to create the app."""

from __future__ import annotations

from typing import Any

EVENTS_PATH = "/slack/events"

SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "users:read",
)
"""The bot token's scopes, each needed for a method that the adapter calls or an event that it reads."""

EVENTS = ("app_home_opened", "app_mention", "message.im")


def manifest(command_name: str, *, public_url: str = "", name: str = "Towpath") -> dict[str, Any]:
    """Return the manifest, to be pasted as JSON or YAML.

    command_name: such as `/infra`. public_url: where Slack reaches the bot; empty for Socket Mode.
    """
    address = public_url.rstrip("/") + EVENTS_PATH if public_url else ""
    command_url = {"url": address} if address else {}
    request_url = {"request_url": address} if address else {}
    command = {
        "command": command_name,
        **command_url,
        "description": "Plan, apply, promote, approve and revert infrastructure changes",
        "usage_hint": "help",
        "should_escape": True,
    }
    return {
        "display_information": {
            "name": name,
            "description": "Terraform by conversation",
            "background_color": "#0b3d2e",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": name.lower(), "always_online": True},
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**request_url, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **request_url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not address,
            "token_rotation_enabled": False,
        },
    }
