"""What runs are to clouds: the claims of their tokens, the variables and files that tools read, and which key signs.

`secrets` splits an environment's static secrets in the same way: those of plans, and those of applies."""

from bot.domain.identity.claims import Claims, claims_of, session_name, subject
from bot.domain.identity.rotation import JWKS_MAX_AGE, SKEW, SigningKey, current_key, expired_keys, key_due
from bot.domain.identity.secrets import PHASES, Access, EnvironmentSecrets, Given, Source, access_of
from bot.domain.identity.variables import clash, files_of, is_ours, variables_of

__all__ = [
    "JWKS_MAX_AGE",
    "PHASES",
    "SKEW",
    "Access",
    "Claims",
    "EnvironmentSecrets",
    "Given",
    "SigningKey",
    "Source",
    "access_of",
    "claims_of",
    "clash",
    "current_key",
    "expired_keys",
    "files_of",
    "is_ours",
    "key_due",
    "session_name",
    "subject",
    "variables_of",
]
