"""Render the console's pages, with a content security policy that lets them load nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.responses import HTMLResponse

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=select_autoescape(default=True)
)


def render_page(template: str, status: int = 200, *, forms: bool = False, **context: Any) -> HTMLResponse:
    """Render a template. forms: whether the page may submit forms, which only this server may receive."""
    return HTMLResponse(
        _templates.get_template(template).render(**context),
        status,
        headers={
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
            f"connect-src 'self'; base-uri 'none'; form-action '{'self' if forms else 'none'}'; frame-ancestors 'none'",
            "referrer-policy": "no-referrer",
            "cache-control": "no-store",
        },
    )
