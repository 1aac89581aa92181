"""The HTTP server: uvicorn with limits on connections and deadlines."""

from __future__ import annotations

import structlog
import uvicorn
from starlette.types import ASGIApp

from bot.settings import Settings
from bot.web.addresses import trusts
from bot.web.connections import Connections
from bot.web.http_protocol import limited_by

log = structlog.get_logger()

KEPT = 75
"""Seconds that an idle connection stays open: longer than clients keep theirs, so that no request meets a closing one."""
GRACE = 10
"""Seconds that open requests get to finish when the process stops."""
MAX_HEADERS = 32 * 1024
"""Bytes of a request's headers: platforms send 2 KB."""
BACKLOG = 1024
"""Connections that are accepted at once, before any of them can be closed again."""


def http_server(app: ASGIApp, settings: Settings, files: int) -> uvicorn.Server:
    """Return the server. files: how many the process may have open; half of them may be connections.

    uvicorn's own limit on connections (`limit_concurrency`) answers 503 to everybody when it is reached, which is what
    someone who holds connections open wants.
    """
    most = min(settings.max_connections, files // 2)
    if most < settings.max_connections:
        log.warning(
            "fewer connections than TOWPATH_MAX_CONNECTIONS: raise the limit of open files", connections=most
        )
    connections = Connections(most, settings.max_connections_per_address, trusts(settings.trusted_proxies))
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=limited_by(connections),
            ws="none",  # a WebSocket would take a connection out of the limits
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=GRACE,
            timeout_keep_alive=KEPT,
            h11_max_incomplete_event_size=MAX_HEADERS,
            backlog=min(BACKLOG, files // 4),
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            server_header=False,
        )
    )
