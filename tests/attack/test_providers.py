"""Get a provider of one's own to run with an environment's secrets, past the policy's list."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.run import Run
from bot.playground.provider import SOURCE, VERSION
from bot.playground.world import World, until
from tests.story.holds import Holds
from tests.story.story import FILES, MAIN, POLICY, Story

EVIL = "towpath.example/acme/evil"
ALLOW = '[providers]\nallow = ["hashicorp/*", "towpath.example/demo/*"]\n'
CONFIGURATION = f"""terraform {{
  required_providers {{
    evil = {{
      source = "{EVIL}"
    }}
  }}
}}
resource "evil_thing" "it" {{
}}
"""


class Evil(Story):
    """A repository in whose environments a provider is to be had that leaves a mark when it runs."""

    def __init__(self, world: World, holds: Holds, policy: str = ALLOW) -> None:
        rules = {"envs/environments.toml": (policy + POLICY).encode()}
        super().__init__(world, "acme/providers", FILES | rules, holds=holds)
        mirror = world.directory / "provider" / "mirror"
        (platform,) = (mirror / SOURCE / VERSION).iterdir()
        package = mirror / EVIL / VERSION / platform.name
        package.mkdir(parents=True, exist_ok=True)
        self.mark = Path(world.directory) / "evil-ran"
        self.mark.unlink(missing_ok=True)
        provider = package / f"terraform-provider-evil_v{VERSION}"
        provider.write_text(f"#!/bin/sh\nenv > '{self.mark}'\nexit 1\n")
        provider.chmod(0o755)

    def planned_run(self, number: int) -> Run:
        """The pull request's plan, once it has ended."""
        until(lambda: [run for run in self.runs("plan", number) if not run.active], what="the plan's end")
        return self.runs("plan", number)[-1]

    def refused(self, number: int, place: str) -> None:
        run = self.planned_run(number)
        assert not self.mark.exists(), "the provider ran"
        assert (
            f"The provider `acme/evil` from `towpath.example` (`{place}`) is not in `providers.allow`"
            in run.message
        )
        assert f'add `"{EVIL}"` to `allow` under `[providers]`' in run.next_step
        self.sees(number, "providers.allow")


def test_a_provider_in_the_configuration(world: World, holds: Holds) -> None:
    """A policy in the pull request itself allows nothing."""
    story = Evil(world, holds)
    wish = {"envs/environments.toml": ALLOW.replace("demo/*", "*/*") + POLICY}
    number = story.propose({"infra/evil.tf": CONFIGURATION, **wish})
    story.refused(number, "infra/evil.tf line 3")


def test_a_provider_that_a_type_implies_in_a_local_module(world: World, holds: Holds) -> None:
    """Nothing requires it by name."""
    story = Evil(world, holds, ALLOW.replace('"hashicorp/*", ', ""))
    number = story.propose(
        {
            "infra/more.tf": 'module "more" {\n  source = "../more"\n}\n',
            "more/main.tf": '\nresource "random_pet" "it" {\n}\n',
        }
    )
    run = story.planned_run(number)
    assert "`hashicorp/random` from `registry.terraform.io` (`more/main.tf line 2`)" in run.message.replace(
        "opentofu.org", "terraform.io"
    )


def test_a_provider_in_json_in_an_override_file(world: World, holds: Holds) -> None:
    story = Evil(world, holds)
    override = f'{{"terraform": {{"required_providers": {{\n"evil": {{"source": "{EVIL}"}}}}}}}}'
    thing = {"infra/more.tf": 'resource "evil_thing" "it" {\n}\n'}
    number = story.propose({"infra/x_override.tf.json": override, **thing})
    story.refused(number, "infra/x_override.tf.json line 2")


def test_a_provider_in_the_lock_file_alone(world: World, holds: Holds) -> None:
    story = Evil(world, holds)
    lock = f'# Kept by hand.\nprovider "{EVIL}" {{\n  version = "{VERSION}"\n}}\n'
    number = story.propose(
        {"infra/main.tf": MAIN.replace("SIZE", "large"), "infra/.terraform.lock.hcl": lock}
    )
    story.refused(number, "infra/.terraform.lock.hcl line 2")


def test_a_provider_of_a_downloaded_module(world: World, holds: Holds) -> None:
    """Only `init` finds it; what it has downloaded does not run. The second plan uses the first one's init."""
    story = Evil(world, holds)
    story.github.commit_files(
        story.repository, "modules", {"evil/main.tf": CONFIGURATION}, author="ann", message="A module"
    )
    source = f"git::{world.github.url}/{story.repository}.git//evil?ref=modules"
    number = story.propose({"infra/more.tf": f'module "more" {{\n  source = "{source}"\n}}\n'})
    for _ in range(2):
        story.refused(number, "infra/.terraform/modules/more/evil/main.tf line 3")
        story.reacted(number, story.say(number, "/plan staging"), "-1")


@pytest.mark.parametrize("policy", ["", ALLOW.replace('demo/*"', 'demo/*", "towpath.example/acme/*"')])
def test_a_new_provider_is_highlighted(world: World, holds: Holds, policy: str) -> None:
    """Also where the policy allows it: at the top of the comment and of the check."""
    story = Evil(world, holds, policy)
    number = story.propose({"infra/evil.tf": CONFIGURATION})
    warning = "This pull request adds the provider `acme/evil` from `towpath.example`, a registry that `main` does not use"
    status = story.sees(number, warning)
    assert status.splitlines()[0].startswith(f"**⚠️ New provider:** {warning} (`infra/evil.tf line 3`)")
    story.planned_run(number)
    summary = until(
        lambda: story.github.checks_on(story.repository, story.head(number)).get(
            "towpath/staging", ("",) * 3
        )[2],
        what="the check",
    )
    assert summary.startswith(f"**⚠️ New provider:** {warning}")
    other = story.propose("large")
    assert "New provider" not in story.planned(other)
