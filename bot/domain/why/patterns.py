"""Recognise known causes in what Terraform, its providers and other tools print.

The texts are from Terraform's and the providers' sources and from the clouds' lists of error codes. The first pattern that
matches decides, so the more specific ones come first. None can backtrack far: whoever writes a log may be hostile.
"""

from __future__ import annotations

import re

from bot.domain.why.model import CauseKind

MAX_TEXT = 8_000
"""Characters of one text that are searched."""

_STATUS = r"(?:status|status ?code|http|error|response|code|returned|got)\W{0,4}"

_PATTERNS: tuple[tuple[CauseKind, str], ...] = (
    (
        "state-locked",
        r"Error acquiring the state lock|state blob is already locked|remote state already locked",
    ),
    ("disk-full", r"no space left on device|disk quota exceeded|\bENOSPC\b"),
    (
        "backend-changed",
        (
            r"Backend configuration changed|Backend initialization required|Backend type changed|Initial configuration of "
            r"the requested backend|State store initialization required"
        ),
    ),
    (
        "plan-outdated",
        (
            r"Saved plan is stale|Saved plan does not match|planfile was created by a different|Failed to load \".{1,300}\" "
            r"as a plan file"
        ),
    ),
    ("missing-variable", r"No value for required variable"),
    ("missing-var-file", r"Failed to read variables file|Given variables file .{1,300} does not exist"),
    (
        "provider-bug",
        (
            r"Provider produced in(?:consistent|valid)|Provider returned invalid result object|Plugin did not respond|"
            r"The plugin encountered an error|plugin crashed|This is a bug in the provider"
        ),
    ),
    (
        "lock-file",
        (
            r"Inconsistent dependency lock file|doesn't match any of the checksums|provider lock file|Required plugins are "
            r"not installed|Failed to validate installed provider|locked provider .{1,200} does not match configured"
        ),
    ),
    (
        "download",
        (
            r"Failed to (?:install|query available) provider|Unreadable module directory|Could not (?:retrieve the list of available versions|download "
            r"module)|Failed to download module|Module not installed|Module version requirements have changed|Failed to "
            r"resolve provider packages|Could not query provider registry|Error accessing remote module registry|"
            r"Unresolvable module version constraint|Could not resolve provider|Module not found|Invalid provider registry "
            r"host|\(publickey\)|could not read Username|failed to retrieve (?:provider|authentication checksums)"
        ),
    ),
    (
        "rate-limited",
        r"Throttl(?:ing|ed)\b|ThrottlingException|RequestLimitExceeded|TooManyRequests|Too Many Requests|\bSlowDown\b|"
        r"rate[ _-]?limit|Quota exceeded for quota metric|" + _STATUS + r"429\b|\b429 Too",
    ),
    (
        "quota",
        (
            r"LimitExceeded|QuotaExceeded|quotaExceeded|exceed(?:s|ed|ing)? .{0,60}\b(?:quota|limit)|\bquota\b.{0,60}"
            r"exceeded|(?:limit|quota) (?:has been |was )?(?:reached|exceeded)|InsufficientInstanceCapacity|"
            r"InsufficientCapacity|ZONE_RESOURCE_POOL_EXHAUSTED|SkuNotAvailable|OverconstrainedAllocationRequest|"
            r"resource_limit_exceeded|resource_unavailable|maximum number of .{1,60}(?:reached|exceeded)"
        ),
    ),
    (
        "credentials",
        r"No valid credential sources|ExpiredToken|InvalidClientTokenId|SignatureDoesNotMatch|InvalidAccessKeyId|"
        r"UnrecognizedClientException|\bAuthFailure\b|InvalidIdentityToken|RequestExpired|security token .{0,60}"
        r"(?:expired|invalid)|could not find default credentials|invalid_grant|invalid_client|invalid authentication "
        r"credentials|AADSTS\d{3}|ClientSecretCredential|Error building (?:ARM|AzureRM) Config|unable to build "
        r"authorizer|az login|Authenticating using|(?i:unable to authenticate)|invalid api token|Authentication error|"
        r"Authentication failed|Bad credentials|InvalidAuthenticationToken|ExpiredAuthenticationToken|"
        r"UNAUTHENTICATED|token (?:is |has )?expired|"
        + _STATUS
        + r"401\b|\b401 Unauthorized|\bunauthorized\b",
    ),
    (
        "permission",
        r"AccessDenied|Access ?Denied|is not authorized to perform|UnauthorizedOperation|AuthorizationFailed|"
        r"PERMISSION_DENIED|does not have (?:the )?(?:required )?permission|does not have authorization|insufficient "
        r"(?:authentication scopes|permission)|InsufficientPermission|Required '.{1,100}' permission|"
        + _STATUS
        + r"403\b|\b403 Forbidden|\bforbidden\b",
    ),
    ("sandbox", r"/[^\s:\"]{0,300}: (?:permission denied|operation not permitted)"),
    ("already-exists", r"AlreadyExists|already exists|BucketAlreadyOwnedByYou|already in use by another"),
    (
        "provider-timeout",
        r"timeout while waiting for|context deadline exceeded|exceeded max wait time|couldn't find resource \(\d",
    ),
    (
        "network",
        (
            r"no such host|connection refused|connection reset by peer|TLS handshake timeout|i/o timeout|network is "
            r"unreachable|certificate signed by unknown authority|x509: |Could not connect|registry service is unreachable"
        ),
    ),
)
_COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _PATTERNS)

_DETAILS: dict[str, re.Pattern[str]] = {
    "missing-variable": re.compile(r"variable \"([A-Za-z0-9_-]{1,100})\""),
    "missing-var-file": re.compile(r"variables file \"?([^\s\"]{1,200})"),
    "sandbox": re.compile(
        r"(/[^\s:\"]{0,300}): (?:permission denied|operation not permitted)", re.IGNORECASE
    ),
}


def recognise(text: str) -> CauseKind | None:
    """Return the cause that a text names, or None."""
    searched = text[:MAX_TEXT]
    return next((kind for kind, pattern in _COMPILED if pattern.search(searched)), None)


def detail_of(kind: CauseKind, text: str) -> str:
    """Return what the text says about this cause: the variable, the file. Empty if it does not."""
    pattern = _DETAILS.get(kind)
    found = pattern.search(text[:MAX_TEXT]) if pattern else None
    return found[1] if found else ""


_LOCK = re.compile(r"^\s{0,4}(ID|Who|Operation|Created):\s{1,10}(\S[^\n]{0,200})$", re.MULTILINE)


_HTTP_LOCK = re.compile(r"HTTP remote state already locked(?:: ID=(\S{1,100}))?")


def lock_fields(text: str) -> dict[str, str]:
    """Return who holds the state's lock, as Terraform prints it: ID, Who, Operation, Created. Empty if it does not say.

    Of a backend of kind `http` it prints only the holder's ID; the description after that is of its own attempt.
    """
    if over_http := _HTTP_LOCK.search(text[:MAX_TEXT]):
        return {"ID": over_http[1]} if over_http[1] else {}
    return {found[1]: found[2].strip() for found in _LOCK.finditer(text[:MAX_TEXT])}
