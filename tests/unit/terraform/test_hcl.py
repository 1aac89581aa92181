"""Configuration as hostile people write it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.ports.terraform import Backend, Engine
from bot.errors import UserError
from bot.terraform.config.backend_block import OVERRIDE, declared_backend, ensure_backend, refuse_settings
from bot.terraform.config.hcl import parse
from bot.terraform.config.hcl_tokens import ParseError
from bot.terraform.config.json_config import parse_json
from bot.terraform.config.module_graph import config_files, is_override, local_modules, module_users
from bot.terraform.init.fingerprint import fingerprint

S3 = 'terraform {\n  backend "s3" {\n    bucket = "b"\n  }\n}\n'
ENGINE = Engine("/bin/terraform", "1.11.4", "terraform")


def lay(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


@pytest.mark.parametrize(
    "hidden",
    [
        f"/*\n{S3}*/",
        "\n".join(f"# {line}" for line in S3.splitlines()),
        "\n".join(f"// {line}" for line in S3.splitlines()),
        f"locals {{\n  x = <<EOT\n{S3}EOT\n}}\n",
        f'locals {{\n  x = <<-EOT\n{S3}  ${{"EOT"}}\n not EOT\n    EOT\n}}\n',
        f'locals {{\n  x = "${{<<E\n{S3}E\n}}"\n}}\n',
        'locals {\n  x = "terraform { backend \\"s3\\" { $${ } }"\n}\n',
        "locals {\n  terraform = { backend = { s3 = {} } }\n}\n",
        'module "x" {\n  source = "./x"\n  terraform {\n    backend "s3" {}\n  }\n}\n',
        'terraform_data "s3" {\n}\nterraform {\n  required_version = ">= 1.5"\n}\n',
    ],
)
def test_what_only_looks_like_a_backend_is_none(tmp_path: Path, hidden: str) -> None:
    assert declared_backend(lay(tmp_path, {"main.tf": hidden})) == ""


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        (S3, "s3"),
        (S3.replace("\n", "\r\n"), "s3"),
        ("\ufeff" + S3, "s3"),
        (f'locals {{\n  x = "/*"\n}}\n{S3}locals {{\n  y = "*/"\n}}\n', "s3"),
        (f"# /*\n{S3}# */\n", "s3"),
        (f'locals {{\n  x = "${{"}}"}} {{ "\n}}\n{S3}', "s3"),
        (f'locals {{\n  x = <<EOT\n$${{ %%{{ " \\ EOT\n  EOT\n}}\n{S3}', "s3"),
        ("terraform {\n  backend/**/s3/**/{\n  }\n}\n", "s3"),
        ('terraform {\n  backend "\\u0073\\U00000033" {\n  }\n}\n', "s3"),
        ('terraform {\n}\nterraform {\n  backend "gcs" {}\n}\n', "gcs"),
        ('terraform {\n  cloud {\n    organization = "x"\n  }\n}\n', "cloud"),
    ],
)
def test_what_is_a_backend_is_found(tmp_path: Path, written: str, kind: str) -> None:
    (tmp_path / "main.tf").write_bytes(written.encode())
    assert declared_backend(tmp_path) == kind


@pytest.mark.parametrize(
    "written",
    [
        '{"terraform": {"backend": {"s3": {}}}}',
        '[{"terraform": [{"backend": [{"s3": {}}]}]}]',
        '{"terraform": {"required_version": "1"}, "terraform": {"backend": {"s3": {}}}}',
        '{"terraform": {"backend": {}, "backend": {"s3": {}}}}',
    ],
)
def test_a_backend_in_json_is_found(tmp_path: Path, written: str) -> None:
    assert declared_backend(lay(tmp_path, {"main.tf.json": written})) == "s3"


@pytest.mark.parametrize("name", ["override.tf", "a_override.tf", "zzz_override.tf", "a.b_override.tf"])
def test_override_files_with_a_backend_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=name):
        declared_backend(lay(tmp_path, {"main.tf": "", name: S3}))
    with pytest.raises(UserError, match="cloud"):
        declared_backend(lay(tmp_path, {name: "terraform {\n  cloud {}\n}\n"}))
    assert declared_backend(lay(tmp_path, {name: 'resource "a" "b" {\n}\n'})) == ""


def test_a_json_override_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"x_override\.tf\.json"):
        declared_backend(lay(tmp_path, {"x_override.tf.json": '{"terraform": {"backend": {"s3": {}}}}'}))


def test_our_overrides_name_is_ours(tmp_path: Path) -> None:
    lay(tmp_path, {"main.tf": ""})
    ensure_backend(tmp_path, "http")
    assert declared_backend(tmp_path) == ""
    ensure_backend(tmp_path, "s3")
    assert 'backend "s3"' in (tmp_path / OVERRIDE).read_text()
    for name in (OVERRIDE, OVERRIDE + ".json"):
        (tmp_path / name).write_text("{}" if name.endswith("json") else 'resource "a" "b" {\n}\n')
        with pytest.raises(UserError, match="reserved for Towpath"):
            declared_backend(tmp_path)
        (tmp_path / name).unlink()


def test_another_backend_than_the_targets_is_refused(tmp_path: Path) -> None:
    lay(tmp_path, {"main.tf": S3})
    ensure_backend(tmp_path, "s3")
    assert not (tmp_path / OVERRIDE).exists()
    with pytest.raises(UserError, match="`s3` backend, but this target's state is kept by `http`"):
        ensure_backend(tmp_path, "http")


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    for content in (b"\xff", b'x = "', b"/*", b"terraform {", b"x { " * 1000, b"}"):
        (tmp_path / "main.tf").write_bytes(content)
        with pytest.raises(UserError, match=r"main\.tf"):
            declared_backend(tmp_path)
    (tmp_path / "main.tf").unlink()
    (tmp_path / "main.tf").symlink_to("/dev/zero")
    with pytest.raises(UserError, match="not a regular file"):
        declared_backend(tmp_path)


def test_which_files_count() -> None:
    names = [".x.tf", "a.tf~", "#b.tf#", "c.tf", "d.tf.json", "c.tofu", "e.tofu.json", "f.tfvars", "g.hcl"]
    assert config_files(names) == ["c.tf", "d.tf.json"]
    assert config_files(names, "opentofu") == ["c.tofu", "d.tf.json", "e.tofu.json"]
    assert [
        name for name in ("override.tf", "x_override.tofu.json", "y_overrides.tf") if is_override(name)
    ] == [
        "override.tf",
        "x_override.tofu.json",
    ]


def test_deep_nesting_breaks_nothing() -> None:
    deep = 'x = "' + '${"' * 50_000 + '"}' * 50_000 + '"\n'
    assert list(parse(deep.encode()).attributes) == ["x"]
    with pytest.raises(ParseError):
        parse_json(b"[" * 100_000)


@given(st.text(alphabet='ab "{}$%<\n\\/*#=-[]()'))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ParseError):
        parse(text.encode())


MODULES = {
    "infra/main.tf": 'module "a" {\n  source = "./modules/a"\n}\nmodule "r" {\n  source = "acme/x/y"\n}\n',
    "infra/modules/a/main.tf": 'module "b" {\n  source = "../../../shared/b"\n}\n',
    "shared/b/main.tf.json": '{"module": {"again": {"source": "../../infra/modules/a"}}}',
    "shared/c/main.tf": "",
    "other/main.tf": 'module "b" {\n  source = "../shared/b/"\n}\nmodule "up" {\n  source = "../../outside"\n}\n',
    "other/notes.txt": 'module "c" {\n  source = "../shared/c"\n}\n',
}


def test_local_modules_on_disk_and_in_a_tree(tmp_path: Path) -> None:
    lay(tmp_path, MODULES)
    assert local_modules(tmp_path / "infra") == {tmp_path / "infra/modules/a", tmp_path / "shared/b"}
    users = module_users(
        list(MODULES), lambda path: MODULES[path].encode() if path in MODULES else None, ["infra", "other"]
    )
    assert users["shared/b"] == {"infra", "other"}
    assert users["infra/modules/a"] == {"infra", "other"}
    assert "shared/c" not in users


def test_a_root_at_the_top() -> None:
    files = {"main.tf": 'module "m" {\n  source = "./m"\n}\n', "m/main.tf": ""}
    users = module_users(list(files), lambda path: files[path].encode(), ["."])
    assert users == {"m": frozenset({"."})}


def test_what_the_fingerprint_depends_on(tmp_path: Path) -> None:
    base = {
        **MODULES,
        "infra/r.tf": 'resource "aws_x" "a" {\n  size = 1\n}\n',
        "infra/.terraform.lock.hcl": "",
    }
    top = lay(tmp_path / "one", base)
    backend = Backend("http", {"address": "x"})

    def of(changes: dict[str, str], engine: Engine = ENGINE, given: Backend = backend) -> str:
        lay(top, base)
        lay(top, changes)
        return fingerprint(top / "infra", given, engine)

    same = of({})
    assert (
        of({"infra/r.tf": '# new\nresource "aws_x" "a" {\n  size = 2 + 3\n}\nlocals {\n  a = 1\n}\n'}) == same
    )
    assert of({"infra/modules/a/v.tf": 'variable "x" {\n}\n'}) == same
    assert fingerprint(lay(tmp_path / "two", base) / "infra", backend, ENGINE) == same
    others = [
        of({"infra/r.tf": 'resource "gcp_x" "a" {\n}\n'}),
        of({"infra/r.tf": 'resource "aws_x" "a" {\n  provider = aws.west\n}\n'}),
        of({"infra/main.tf": MODULES["infra/main.tf"].replace("acme/x/y", "acme/x/z")}),
        of({"infra/modules/a/main.tf": 'module "r" {\n  source = "acme/new/one"\n}\n'}),
        of({"infra/r.tf": base["infra/r.tf"] + 'terraform {\n  required_version = ">= 1.6"\n}\n'}),
        of({"infra/.terraform.lock.hcl": "x"}),
        of({}, engine=Engine("/bin/terraform", "1.12.0", "terraform")),
        of({}, given=Backend("http", {"address": "y"})),
        of({}, given=Backend("s3", {"address": "x"})),
    ]
    assert len({same, *others}) == len(others) + 1


# settings of a backend block

IN_BUCKET = Backend("s3", {"bucket": "states", "key": "staging/terraform.tfstate", "region": "auto"})
ACCEPTED = """
terraform {
  backend "s3" {
    bucket                      = "b"
    key                         = "k"
    region                      = "eu-west-1"
    encrypt                     = true
    use_lockfile                = true
    use_path_style              = true
    skip_credentials_validation = true
    workspace_key_prefix        = "env:"
  }
}
"""


def test_settings_that_a_repository_may_choose(tmp_path: Path) -> None:
    refuse_settings(lay(tmp_path, {"main.tf": ACCEPTED, "other.tf": "# acl = 1\n"}), IN_BUCKET)
    (tmp_path / "main.tf").unlink()
    refuse_settings(
        lay(tmp_path, {"main.tf.json": '{"terraform": {"backend": {"s3": {"//": "ours", "key": "k"}}}}'}),
        IN_BUCKET,
    )


@pytest.mark.parametrize(
    ("written", "name", "advice"),
    [
        ('acl = "public-read"', "acl", "on the bucket itself"),
        ('kms_key_id = "alias/theirs"', "kms_key_id", "on the bucket itself"),
        ('sse_customer_key = "x"', "sse_customer_key", "on the bucket itself"),
        (
            'endpoints = { s3 = "https://evil.example.com" }',
            "endpoints",
            "set `endpoint` in the stack's `backend`",
        ),
        ('endpoints {\n      s3 = "https://evil.example.com"\n    }', "endpoints", "set `endpoint`"),
        ('sts_endpoint = "https://evil.example.com"', "sts_endpoint", ""),
        ('dynamodb_endpoint = "https://evil.example.com"', "dynamodb_endpoint", "`use_lockfile`"),
        ('https_proxy = "http://evil.example.com"', "https_proxy", ""),
        ("insecure = true", "insecure", ""),
        ('custom_ca_bundle = "ca.pem"', "custom_ca_bundle", ""),
        ('profile = "admin"', "profile", ""),
        ('role_arn = "arn:aws:iam::1:role/admin"', "role_arn", ""),
        ('assume_role = { role_arn = "arn:aws:iam::1:role/admin" }', "assume_role", ""),
        ('shared_credentials_files = ["x"]', "shared_credentials_files", ""),
        ('access_key = "hush"', "access_key", ""),
        ("of_tomorrow = true", "of_tomorrow", ""),
    ],
)
def test_any_other_setting_is_named_with_its_place(
    tmp_path: Path, written: str, name: str, advice: str
) -> None:
    text = f'terraform {{\n  backend "s3" {{\n    key = "k"\n    {written}\n  }}\n}}\n'
    with pytest.raises(UserError, match=f"`backend.tf` line 4 sets `{name}`") as refused:
        refuse_settings(lay(tmp_path, {"backend.tf": text}), IN_BUCKET)
    assert "hush" not in f"{refused.value.what}{refused.value.next_step}"
    assert refused.value.next_step.startswith("Remove it, commit and push.")
    assert advice in refused.value.next_step


def test_in_json_every_block_counts(tmp_path: Path) -> None:
    text = (
        '{"terraform": {"backend": [{"s3": {"key": "k"}},\n {"s3": {"key": "k",\n "acl": "public-read"}}]}}'
    )
    with pytest.raises(UserError, match=r"`x\.tf\.json` line 3 sets `acl`"):
        refuse_settings(lay(tmp_path, {"x.tf.json": text}), IN_BUCKET)


def test_endpoints_are_overruled_where_the_policy_names_one(tmp_path: Path) -> None:
    lay(tmp_path, {"x.tf": 'terraform {\n  backend "s3" {\n    endpoints = { s3 = "https://r2" }\n  }\n}\n'})
    refuse_settings(tmp_path, Backend("s3", {"endpoints": '{"s3": "https://r2"}'}))
    with pytest.raises(UserError, match="endpoints"):
        refuse_settings(tmp_path, IN_BUCKET)


def test_settings_of_the_built_in_backend(tmp_path: Path) -> None:
    block = 'terraform {\n  backend "http" {\n    address = "https://x"\n    %s = true\n  }\n}\n'
    refuse_settings(lay(tmp_path, {"x.tf": block % "retry_max"}), Backend("http"))
    with pytest.raises(UserError, match="line 4 sets `skip_cert_verification`"):
        refuse_settings(lay(tmp_path, {"x.tf": block % "skip_cert_verification"}), Backend("http"))
