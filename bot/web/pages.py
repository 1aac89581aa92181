"""The console's pages as answers: rendered from templates, and let to load or send nothing that is not theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.responses import HTMLResponse

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=select_autoescape(default=True)
)


def page(template: str, status: int = 200, *, forms: bool = False, **facts: Any) -> HTMLResponse:
    """A page of ours. forms: it has some, which go to this very address alone."""
    return HTMLResponse(
        _templates.get_template(template).render(**facts),
        status,
        headers={
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
            f"connect-src 'self'; base-uri 'none'; form-action '{'self' if forms else 'none'}'; frame-ancestors 'none'",
            "referrer-policy": "no-referrer",
            "cache-control": "no-store",
        },
    )
