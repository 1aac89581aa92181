"""`identity` in the policy: what is accepted, and what is told of anything else."""

from __future__ import annotations

import pytest

from tests.unit.domain.test_policy_file import SOURCE, STACK, problems, read

AWS = 'plan = "arn:aws:iam::123456789012:role/a/read", apply = "arn:aws-us-gov:iam::123456789012:role/write"'
ID = "00000000-0000-0000-0000-000000000000"


def text(identity: str) -> str:
    return f"{STACK}[env.prod]\nidentity = {{ {identity} }}\n"


def test_tables_may_have_headers_of_their_own() -> None:
    inline = read(text(f'aws = {{ {AWS} }}, vault = {{ audience = "a", file_variable = "B" }}'))
    lines = AWS.replace(", ", "\n")
    long = (
        f'[env.prod.identity.aws]\n{lines}\n[env.prod.identity.vault]\naudience = "a"\nfile_variable = "B"\n'
    )
    headed = read(f"{STACK}[env.prod]\n{long}")
    assert inline.environments["prod"].identity == headed.environments["prod"].identity
    assert headed.environments["prod"].identity.services["vault"].file_variable == "B"


def test_it_counts_in_the_digest_of_plans() -> None:
    one = read(text(f"aws = {{ {AWS} }}"))
    other = read(text(f"aws = {{ {AWS.replace('read', 'other')} }}"))
    none, empty = read(f"{STACK}[env.prod]\n"), read(text(""))
    digests = [policy.digest("infra", "prod") for policy in (one, other, none, empty)]
    assert digests[2] == digests[3]
    assert len(set(digests)) == 3


@pytest.mark.parametrize(
    ("identity", "says"),
    [
        ('aws = "x"', ["`env.prod.identity.aws` must be a table: `[env.prod.identity.aws]`"]),
        (
            'aws = { plan = "arn:aws:iam::1:role/r" }',
            [
                '`plan` must be a role such as "arn:aws:iam::123456789012:role/towpath-plan"',
                '`aws` has no `apply`, such as `apply = "arn:aws:iam::123456789012:role/towpath-apply"`',
            ],
        ),
        (
            f"aws = {{ {AWS.replace('plan =', 'plna =')} }}",
            [
                "unknown key `plna` in [env.prod.identity.aws]; did you mean `plan`?",
                '`aws` has no `plan`, such as `plan = "arn:aws:iam::123456789012:role/towpath-plan"`',
            ],
        ),
        (
            'google = { provider = "projects/acme/x", plan = "p@a.iam.gserviceaccount.com", apply = "ann@example.com" }',
            [
                (
                    '`provider` must be a provider such as "projects/123456789012/locations/global/workloadIdentityPools/towpath'
                    "/providers/towpath\", with the project's number"
                ),
                '`apply` must be a service account such as "towpath-plan@acme.iam.gserviceaccount.com"',
            ],
        ),
        (
            f'azure = {{ tenant = "{ID}", subscription = "{ID}", plan = "{ID}", apply = "write" }}',
            [f'`apply` must be an id such as "{ID}"'],
        ),
        (
            'vault = { audience = "a b", file_variable = "A-B" }',
            [
                "`audience` must be one word of at most 500 ASCII characters",
                '`file_variable` must be the name of a variable, such as "VAULT_JWT_FILE"',
            ],
        ),
        (
            'Vault = { audience = "a", file_variable = "B" }',
            ["`identity` names a service `Vault`; use lowercase letters, digits and `-`"],
        ),
        (
            'a = { audience = "x", file_variable = "A" }, b = { audience = "x", file_variable = "B" }',
            ["`identity` has the same audience for `a` and `b`, so that each could use the other's token"],
        ),
        (
            'a = { audience = "x", file_variable = "A" }, b = { audience = "y", file_variable = "A" }',
            ["`identity` sets `A` for two services"],
        ),
        (
            f'aws = {{ {AWS} }}, a = {{ audience = "x", file_variable = "AWS_ROLE_ARN" }}',
            ["`identity` sets `AWS_ROLE_ARN` for a service, which could be one of the variables of `aws`"],
        ),
    ],
)
def test_problems(identity: str, says: list[str]) -> None:
    assert list(problems(text(identity))) == [f"{SOURCE} line 4: {each}" for each in says]
