"""Which input variables of a module still lack a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from bot.domain.ports.terraform import InputVariable
from bot.errors import UserError
from bot.terraform.config.input_variables import unset
from bot.terraform.config.module_graph import Flavour, names_in

VARIABLES = """
variable "region" {
  type = string
}

variable "nodes" {
  type    = number
  default = null
}

variable "db_password" {
  type      = string
  sensitive = true
}
"""


def unset_in(
    files: Mapping[str, str], *var_files: str, root: str = "infra", flavour: Flavour = "terraform"
) -> list[InputVariable]:
    def read(path: str) -> bytes | None:
        text = files.get(path)
        return None if text is None else text.encode()

    return unset(root, names_in(list(files)), read, var_files, flavour)


def named(found: Sequence[InputVariable]) -> list[str]:
    return [one.name for one in found]


def test_what_has_neither_default_nor_value() -> None:
    found = unset_in({"infra/variables.tf": VARIABLES, "infra/modules/a/main.tf": 'variable "inner" {}\n'})
    assert found == [
        InputVariable("region", "infra/variables.tf", 2),
        InputVariable("db_password", "infra/variables.tf", 11, sensitive=True),
    ]
    assert found[0].place == "infra/variables.tf line 2"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("envs/staging.tfvars", 'region = "eu-1"\n'),
        ("envs/staging.tfvars.json", '{"region": "eu-1"}'),
        ("infra/terraform.tfvars", 'region = "eu-1"\n'),
        ("infra/terraform.tfvars.json", '{"region": "eu-1"}'),
        ("infra/a.auto.tfvars", "region = <<EOT\neu-1\nEOT\n"),
        ("infra/a.auto.tfvars.json", '{"region": ["x"]}'),
        ("infra/x_override.tf", 'variable "region" {\n  default = "eu-1"\n}\n'),
        ("infra/override.tf.json", '{"variable": {"region": {"default": null}}}'),
    ],
)
def test_a_value_in_any_file_that_the_engine_reads(path: str, text: str) -> None:
    var_files = ("envs/staging.tfvars", "envs/staging.tfvars.json", "envs/none.tfvars")
    assert named(unset_in({"infra/variables.tf": VARIABLES, path: text}, *var_files)) == ["db_password"]


@pytest.mark.parametrize(
    "path", ["envs/prod.tfvars", "infra/other.tfvars", "infra/modules/terraform.tfvars", "terraform.tfvars"]
)
def test_a_value_in_a_file_that_it_does_not_read(path: str) -> None:
    files = {"infra/variables.tf": VARIABLES, path: 'region = "eu-1"\n'}
    assert named(unset_in(files, "envs/staging.tfvars")) == ["region", "db_password"]


def test_json_syntax_with_its_line() -> None:
    text = '{\n  "variable": {\n    "token": {"ephemeral": true},\n    "n": {"default": 5}\n  }\n}\n'
    assert unset_in({"main.tf.json": text}, root=".") == [
        InputVariable("token", "main.tf.json", 3, ephemeral=True)
    ]


def test_opentofus_own_files() -> None:
    files = {"infra/v.tofu": 'variable "a" {}\n', "infra/v.tf": 'variable "b" {}\n'}
    assert named(unset_in(files)) == ["b"]
    assert named(unset_in(files, flavour="opentofu")) == ["a"]


@pytest.mark.parametrize("path", ["infra/main.tf", "envs/staging.tfvars", "infra/terraform.tfvars.json"])
def test_a_file_that_cannot_be_parsed_is_named(path: str) -> None:
    with pytest.raises(UserError, match=path.rpartition("/")[2]):
        unset_in({"infra/v.tf": VARIABLES, path: 'x = "unclosed\n'}, "envs/staging.tfvars")
