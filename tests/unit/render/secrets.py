"""Reports on secrets: one with everything, a hostile one, and one of an environment without any."""

from __future__ import annotations

from bot.domain.chat import Result
from bot.domain.identity import EnvironmentSecrets, Given
from bot.domain.policy import parse_policy
from bot.domain.ports.terraform import InputVariable
from bot.domain.secrets import SecretEntry, SecretsReport, missing_of
from tests.unit.render.facts import HEAD, NASTY, REPOSITORY

POLICY = parse_policy('[stack.infra]\nroot = "infra"\n[env.staging]\n', "policy")
VARIABLES = (
    InputVariable("db_password", "infra/variables.tf", 12, sensitive=True),
    InputVariable("region", "infra/variables.tf", 3),
    InputVariable("token", "infra/variables.tf.json", ephemeral=True),
)


def results() -> dict[str, Result]:
    missing = missing_of(EnvironmentSecrets({}, {}), POLICY, "staging", "infra", VARIABLES)
    hostile = InputVariable(NASTY, f"infra/{NASTY}.tf", 1)
    shared = Given("command", "TF_VAR_zone")
    entries = (
        SecretEntry("AWS_REGION", True, *(Given("environment", "STAGING_AWS_REGION"),) * 2),
        SecretEntry(
            "AWS_SECRET_ACCESS_KEY", False, None, Given("file", "STAGING_APPLY_AWS_SECRET_ACCESS_KEY")
        ),
        SecretEntry("TF_VAR_zone", False, shared, shared),
    )
    whole = SecretsReport(REPOSITORY, "staging", "STAGING_", HEAD, entries, missing)
    return {
        "secrets": whole,
        "secrets_none": SecretsReport(REPOSITORY, "staging", "STAGING_", HEAD, ()),
        "secrets_hostile": SecretsReport(
            REPOSITORY,
            "staging",
            "STAGING_",
            HEAD,
            (),
            missing_of(EnvironmentSecrets({}, {}), POLICY, "staging", "infra", (hostile,)),
            ("The variables of stack `infra` could not be read: `main.tf` cannot be parsed: line 3.",),
        ),
    }
