"""Plain settings: variables that runs get like secrets, and whose values people may read. Any other is a secret."""

from __future__ import annotations

from bot.domain.policy import Policy

WELL_KNOWN = frozenset(
    [
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_MAX_ATTEMPTS",
        "AWS_RETRY_MODE",
        "AWS_SDK_LOAD_CONFIG",
        "AWS_STS_REGIONAL_ENDPOINTS",
        "AWS_USE_DUALSTACK_ENDPOINT",
        "AWS_USE_FIPS_ENDPOINT",
        "GOOGLE_PROJECT",
        "GOOGLE_CLOUD_PROJECT",
        "GCLOUD_PROJECT",
        "CLOUDSDK_CORE_PROJECT",
        "GOOGLE_REGION",
        "GCLOUD_REGION",
        "CLOUDSDK_COMPUTE_REGION",
        "GOOGLE_ZONE",
        "GCLOUD_ZONE",
        "CLOUDSDK_COMPUTE_ZONE",
        "ARM_ENVIRONMENT",
        "ARM_USE_CLI",
        "ARM_USE_MSI",
        "ARM_USE_OIDC",
        "OS_REGION_NAME",
        "TF_LOG",
        "TF_LOG_CORE",
        "TF_LOG_PROVIDER",
        "TF_VAR_environment",
        "TF_VAR_region",
    ]
)
"""Variables of Terraform and of the clouds' providers that choose a place or a behaviour, and grant nothing. Ids of
accounts, subscriptions and tenants are not among them: some teams keep those to themselves."""


def settings_of(policy: Policy, environment: str) -> frozenset[str]:
    """Return the names of an environment's plain settings: the well-known ones, and what the policy lists."""
    return WELL_KNOWN | policy.settings_of(environment)
