"""The environment variables that child processes inherit from the bot: an allowlist."""

from __future__ import annotations

from collections.abc import Mapping

CERTIFICATES = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "GIT_SSL_CAINFO",
)
"""Variables that hold the path of certificates."""
_ALLOWED = frozenset(["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", *CERTIFICATES])
PROXIES = frozenset(["http_proxy", "https_proxy", "no_proxy", "all_proxy"])


def inherited(process: Mapping[str, str], also: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return the variables of `process` (the bot's own) that a child process gets: search path, locale, temporary
    directory, certificates, proxies, and those named in `also`. PATH and LANG are always set."""
    found = {
        key: value
        for key, value in process.items()
        if key in _ALLOWED or key in also or key.lower() in PROXIES
    }
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"} | found
