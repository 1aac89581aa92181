"""The pages that are written from the code are as the code would write them; the others are true where that shows."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from bot.cli.docs import commands_page, settings_page
from bot.domain.policy.loader import parse_policy
from bot.domain.policy.model import BackendPolicy, Environment, Stack
from bot.domain.policy.parity import AllowedDifference, ParityGroup
from bot.domain.policy.schema import ApprovalRules, FreezeRule, SmokeCheck
from bot.settings import Settings
from bot.slack.manifest import manifest
from commands.registry import load
from tests.contract.state import r2

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
each = pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


@pytest.mark.parametrize(
    ("name", "written"), [("commands.md", commands_page), ("settings.md", settings_page)]
)
def test_generated_pages_are_up_to_date(name: str, written: object) -> None:
    assert callable(written)
    assert (ROOT / "docs" / name).read_text() == written(), "run `make docs`"


@each
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(), re.MULTILINE)
            assert anchor in [_anchor(heading) for heading in headings], target


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@each
def test_variables_that_are_named_exist(page: Path) -> None:
    known = {f"TOWPATH_{name.upper()}" for name in Settings.model_fields}
    tests_own = {"TOWPATH_TESTS_COMPLETE", *r2.VARIABLES}
    assert set(re.findall(r"TOWPATH_[A-Z0-9_]+[A-Z0-9]", page.read_text())) <= known | tests_own


@each
def test_commands_that_are_named_exist(page: Path) -> None:
    known = {*load(), *(alias for one in load().values() for alias in one.help.aliases)}
    named = re.findall(r"`/(?:infra )?([a-z]+)(?= [^`]*`|`)", page.read_text())
    others = {"healthz", "readyz", "metrics", "state", "infra", "invite"}
    assert set(named) - others <= known


@each
def test_policies_that_are_shown_are_policies(page: Path) -> None:
    for text in blocks(page, "toml"):
        if "[env." in text:
            assert parse_policy(text, page.name).environments
        else:
            assert tomllib.loads(text)


def test_the_policy_page_knows_every_key() -> None:
    text = (ROOT / "docs" / "policy.md").read_text()
    kept = {field.name for kind in (Stack, Environment, BackendPolicy) for field in fields(kind)}
    tables = (SmokeCheck, FreezeRule, ApprovalRules, ParityGroup, AllowedDifference)
    kept |= {field.alias or key for table in tables for key, field in table.model_fields.items()}
    for key in (kept - {"name", "backend"}) | {"name", "branches", "allow"}:
        assert f"`{key}`" in text, key


def test_the_readme_shows_the_manifest_as_it_is() -> None:
    (shown,) = [
        line for text in blocks(ROOT / "README.md", "sh") for line in text.splitlines() if "manifest" in line
    ]
    code = shown.partition("-c '")[2].rstrip("'")
    printed: list[str] = []
    exec(code, {"print": printed.append})  # noqa: S102  (our own page)
    assert json.loads(printed[0]) == manifest("/infra", public_url="https://towpath.example.com")


def test_the_readme_lists_the_commands() -> None:
    text = (ROOT / "README.md").read_text()
    for name, one in load().items():
        assert re.search(rf"`/{name}\b", text), name
        assert one.help.summary in (ROOT / "docs" / "commands.md").read_text()


def test_the_licence_of_the_engine_is_told() -> None:
    assert "BUSL-1.1" in (ROOT / "README.md").read_text()


def test_the_threat_models_tests_exist() -> None:
    named = re.findall(
        r"`((?:attack|story|integration)/[\w/]+\.py)(?:::(\w+))?`",
        (ROOT / "docs" / "threat-model.md").read_text(),
    )
    assert named
    for file, test in named:
        text = (ROOT / "tests" / file).read_text()
        assert not test or f"def {test}(" in text, f"{file}::{test}"
