"""Which providers a configuration uses, and where it says so."""

from __future__ import annotations

from posixpath import normpath

import pytest

from bot.errors import UserError
from bot.terraform.config.module_graph import names_in
from bot.terraform.config.provider_uses import provider_uses


def uses(files: dict[str, str], root: str = "infra") -> dict[str, str]:
    """Source, without Terraform's own registry → place."""
    found = provider_uses(
        root, names_in(list(files)), lambda path: files[normpath(path)].encode(), "terraform"
    )
    return {use.source.removeprefix("registry.terraform.io/"): use.place for use in found}


@pytest.mark.parametrize(
    ("text", "source", "line"),
    [
        (
            'terraform {\n  required_providers {\n    evil = {\n      source = "Acme/Evil"\n    }\n  }\n}',
            "acme/evil",
            3,
        ),
        ('terraform {\n  required_providers {\n    evil = "~> 1.0"\n  }\n}', "hashicorp/evil", 3),
        ('\nresource "evil_thing" "it" {\n}', "hashicorp/evil", 2),
        ('data "evil_thing" "it" {\n}', "hashicorp/evil", 1),
        ('ephemeral "evil_thing" "it" {\n}', "hashicorp/evil", 1),
        ('resource "thing" "it" {\n  provider = evil.west\n}', "hashicorp/evil", 1),
        ('provider "evil" {\n}', "hashicorp/evil", 1),
        ('import {\n  to = a.b\n  id = "1"\n  provider = evil.west\n}', "hashicorp/evil", 1),
        ('check "it" {\n  data "evil_thing" "it" {\n  }\n}', "hashicorp/evil", 2),
    ],
)
def test_where_a_provider_is_used(text: str, source: str, line: int) -> None:
    assert uses({"infra/main.tf": text}) == {source: f"infra/main.tf line {line}"}


@pytest.mark.parametrize(
    "text",
    [
        '{"terraform": [{"required_providers":\n{"evil": {"source": "hashicorp/evil"}}}]}',
        '{"resource":\n{"evil_thing": {"it": {}}}}',
        '{"check": {"it": {"data":\n{"evil_thing": {"it": {}}}}}}',
        '{"provider":\n{"evil": {}}}',
        '{"resource": {"thing": {"it": {"provider":\n"evil.west"}}}}',
    ],
)
def test_in_json(text: str) -> None:
    assert uses({"infra/main.tf.json": text}) == {"hashicorp/evil": "infra/main.tf.json line 2"}


def test_what_is_built_in() -> None:
    assert uses({"infra/main.tf": 'resource "terraform_data" "it" {\n}'}) == {}


def test_modules_and_the_lock_file() -> None:
    """Each provider once. A name means what its own module says."""
    required = 'terraform {\n  required_providers {\n    cloud = { source = "acme/cloud" }\n  }\n}\n'
    files = {
        "infra/main.tf": required + 'module "a" {\n  source = "../a"\n}\nresource "cloud_it" "it" {\n}\n',
        "a/main.tf": 'resource "cloud_it" "it" {\n}\n',
        "a/.terraform.lock.hcl": 'provider "acme/ignored" {\n}\n',
        "other/main.tf": 'resource "other_it" "it" {\n}\n',
        "infra/.terraform.lock.hcl": '# a\nprovider "registry.example.com/acme/evil" {\n}\n',
    }
    assert uses(files) == {
        "acme/cloud": "infra/main.tf line 3",
        "hashicorp/cloud": "a/main.tf line 1",
        "registry.example.com/acme/evil": "infra/.terraform.lock.hcl line 2",
    }


def test_files_that_cannot_be_read() -> None:
    for path in ("infra/main.tf", "infra/.terraform.lock.hcl"):
        with pytest.raises(UserError, match="cannot be parsed"):
            uses({path: "provider {"})
