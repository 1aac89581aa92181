"""Two stacks: the app comes after the network, and its DNS record gets the address of the network's gateway."""

from __future__ import annotations

from bot.domain.policy import PATH
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.world import REPOSITORY

_POLICY = """[stack.app]
root = "app"
after = ["network"]
inputs = { gateway = "network.gateway" }

[stack.network]
root = "network"

[env.staging]
"""
_PROVIDER = """terraform {
  required_providers {
    playground = {
      source  = "towpath.example/demo/playground"
      version = "1.0.0"
    }
  }
}

provider "playground" {}
"""
_NETWORK = """
resource "playground_server" "gateway" {
  name  = "staging-gateway"
  size  = "s"
  image = "debian-12"
}

output "gateway" {
  value = playground_server.gateway.ip
}
"""
_APP = """
variable "gateway" {
  type = string
}

resource "playground_dns_record" "app" {
  name  = "app.staging.example.com"
  value = var.gateway
  ttl   = 300
}
"""
NETWORK, APP = "staging/network", "staging/app"


@chapter("stacks-in-order", "the network is applied before the app, which gets its address", order=195)
def stacks_in_order(story: Story) -> None:
    with story.step("Ann adds two stacks; the network is planned, and the app has to wait for its address"):
        story.narrator.action("carol", "main", f"changes {PATH}: the app comes after the network")
        story.world.github.commit_files(
            REPOSITORY, "main", {PATH: _POLICY.encode()}, author="carol", message="two stacks"
        )
        page = story.propose_files("two-stacks", _files("network", "app"))
        _wait_until_ready(story, page, NETWORK)
        story.wait_for(
            "the app waits for the network",
            lambda: f"after {NETWORK}" in page.row(APP)["State"],
            lambda: page.status,
        )
        story.check_text(page.status, "needs the output", "nothing was applied to staging/network yet")

    with story.step(
        "She applies staging: the network, after which the app is planned with the gateway's address"
    ):
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "🚀")
        story.wait_for(
            "Ann is told",
            lambda: page.reply("staging/network was applied, so staging/app is planned now"),
            lambda: page.replies,
        )
        _wait_until_ready(story, page, APP)
        _check_record(story, exists=False)

    with story.step("She reads the plan and applies the rest"):
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "🚀")
        _wait_until_applied(story, page, APP)
        _check_record(story)
        story.merge(page, actor="ann")

    _change(story)


def _change(story: Story) -> None:
    with story.step("Carol plans a change of the app, while Ann replaces the gateway"):
        other = story.propose_files("shorter-ttl", _files("app", edit=("300", "60")), author="carol")
        _wait_until_ready(story, other, APP)
        page = story.propose_files("new-gateway", _files("network", edit=("debian-12", "debian-13")))
        _wait_until_ready(story, page, NETWORK)
        story.check("her change does not touch the app", true=not page.row(APP)["State"], seen=page.status)

    with story.step("Ann applies the network; the app is planned again in both pull requests, which say why"):
        before = other.check(APP).url
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "🚀")
        for one, by in ((page, ""), (other, f" by #{page.number}")):
            _told(
                story,
                one,
                f"staging/network was applied{by} and changed network.gateway, so staging/app is planned again",
            )
        _wait_until_ready(story, page, APP)
        story.wait_for(
            "Carol's new plan",
            lambda: other.check(APP).url != before and _ready(other, APP),
            lambda: other.status,
        )
        story.check(
            "the record has the old address", true=_record(story) != _gateway(story), seen=_record(story)
        )

    with story.step("Ann applies the app, and the record has the new address"):
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "🚀")
        _wait_until_applied(story, page, APP)
        _check_record(story)


def _files(*stacks: str, edit: tuple[str, str] = ("", "")) -> dict[str, bytes]:
    """The files of these stacks, with one text replaced."""
    content = {"network": _NETWORK, "app": _APP}
    return {f"{stack}/main.tf": (_PROVIDER + content[stack]).replace(*edit).encode() for stack in stacks}


def _ready(page: PullPage, target: str) -> bool:
    row = page.row(target)
    return row["Next"] == f"/apply {target.replace('/', ' ')}" and row["Planned"].startswith(page.head[:7])


def _wait_until_ready(story: Story, page: PullPage, target: str) -> None:
    story.wait_for(f"{target} is ready to apply", lambda: _ready(page, target), lambda: page.status)


def _wait_until_applied(story: Story, page: PullPage, target: str) -> None:
    story.wait_for(
        f"{target} is applied",
        lambda: page.row(target)["State"].startswith("✅ applied"),
        lambda: page.status,
    )


def _told(story: Story, page: PullPage, text: str) -> None:
    story.wait_for(f"#{page.number} says why", lambda: page.reply(text), lambda: page.replies)


def _gateway(story: Story) -> str:
    servers = story.world.clouds["staging"].things("server").values()
    return next((str(one["ip"]) for one in servers), "")


def _record(story: Story) -> str:
    records = story.world.clouds["staging"].things("dns_record").values()
    return next((str(one["value"]) for one in records), "")


def _check_record(story: Story, *, exists: bool = True) -> None:
    wanted = _gateway(story) if exists else ""
    story.check(
        "the record points to the gateway" if exists else "there is no record yet",
        true=_record(story) == wanted,
        seen=_record(story),
    )
