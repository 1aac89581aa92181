"""The providers and modules that a root module is built of, and which of its variables are sensitive."""

from __future__ import annotations

from posixpath import normpath

import pytest

from bot.errors import UserError
from bot.terraform.config.module_graph import names_in
from bot.terraform.config.requirements import requirements, sensitive_variables

FILES = {
    "infra/main.tf": 'terraform {\n  required_providers {\n    aws = {\n      source = "hashicorp/aws"\n'
    '      version = "~> 5.0"\n    }\n    own = { source = "example.com/acme/own" }\n  }\n}\n'
    'module "net" {\n  source = "./modules/net"\n}\n'
    'module "vpc" {\n  source = "terraform-aws-modules/vpc/aws"\n  version = "5.1.0"\n}\n',
    "infra/modules/net/main.tf": 'module "dns" {\n  source = "git::https://example.com/dns.git?ref=v2"\n}\n',
}
LOCK = 'provider "registry.terraform.io/hashicorp/aws" {\n  version = "5.31.0"\n}\n'


def found(files: dict[str, str]) -> dict[str, tuple[str, str]]:
    """`kind.name` → version and place."""
    entries = requirements(
        "infra", names_in(list(files)), lambda path: files[normpath(path)].encode(), "terraform"
    )
    return {f"{one.kind}.{one.name}": (one.version, f"{one.file}:{one.line}") for one in entries}


def test_versions() -> None:
    """A provider's is the lock file's, else what is required."""
    assert found(FILES) == {
        "provider.hashicorp/aws": ("~> 5.0", "infra/main.tf:3"),
        "provider.example.com/acme/own": ("any version", "infra/main.tf:7"),
        "module.net": ("./modules/net", "infra/main.tf:10"),
        "module.vpc": ("terraform-aws-modules/vpc/aws 5.1.0", "infra/main.tf:13"),
        "module.infra/modules/net/dns": (
            "git::https://example.com/dns.git?ref=v2",
            "infra/modules/net/main.tf:1",
        ),
    }
    locked = found(FILES | {"infra/.terraform.lock.hcl": LOCK})
    assert locked["provider.hashicorp/aws"] == ("5.31.0", "infra/.terraform.lock.hcl:1")
    assert locked["provider.example.com/acme/own"][0] == "any version"


def test_sensitive_variables() -> None:
    text = "".join(
        f'variable "{name}" {{\n  {line}\n}}\n'
        for name, line in {
            "a": "sensitive = true",
            "b": "sensitive = false",
            "c": "",
            "d": "ephemeral = true",
        }.items()
    )
    files = {"infra/v.tf": text, "infra/w.tf.json": '{"variable": {"e": {"sensitive": true}, "f": {}}}'}
    names = names_in(list(files))
    read = lambda path: files[normpath(path)].encode()  # noqa: E731
    assert sensitive_variables("infra", names, read, "terraform") == {"a", "d", "e"}
    files["infra/v.tf"] = 'variable "'
    with pytest.raises(UserError, match=r"`v\.tf` cannot be parsed"):
        sensitive_variables("infra", names, read, "terraform")
