"""What a program that the bot starts may know of the bot's own environment: an allowlist, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

_ALLOWED = frozenset(
    [
        *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"),
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "CURL_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE",
        "AWS_CA_BUNDLE",
        "GIT_SSL_CAINFO",
    ]
)
_PROXIES = frozenset(["http_proxy", "https_proxy", "no_proxy", "all_proxy"])


def inherited(process: Mapping[str, str], also: frozenset[str] = frozenset()) -> dict[str, str]:
    """Where programs are, the language, and how the network is reached; of `process` (the bot's own variables)
    besides only those that `also` names. PATH and LANG are always there."""
    found = {
        key: value
        for key, value in process.items()
        if key in _ALLOWED or key in also or key.lower() in _PROXIES
    }
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"} | found
