"""The environment on a laptop, and what ci will say, before anything is pushed."""

from __future__ import annotations

from bot.playground.bot_process import free_port
from bot.playground.tour.dev_laptop import DevLaptop
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story

CHANGE = "add-server"


@chapter("dev", "dev runs on a laptop, which also knows what ci will say", order=185)
def dev(story: Story) -> None:
    laptop = DevLaptop(story, "ann", free_port())
    try:
        _dependencies(story, laptop)
        _resources(story, laptop)
        _ci(story, laptop)
        _down(story, laptop)
    finally:
        laptop.close()


def _dependencies(story: Story, laptop: DevLaptop) -> None:
    with story.step("Ann clones the repository, and her laptop has all that dev needs"):
        laptop.clone()
        told = laptop.run("doctor")
        story.check("nothing is missing", true=told["ok"], seen=told)

    with story.step("`towpath dev up` starts dev's dependencies; a second one finds nothing to do"):
        (web,) = laptop.run("up")["dependencies"]
        story.check("it was started and is healthy", true=web["did"] == "started", seen=web)
        (again,) = laptop.run("up")["dependencies"]
        story.check("it still runs", true=(again["did"], again["pid"]) == ("running", web["pid"]), seen=again)


def _resources(story: Story, laptop: DevLaptop) -> None:
    with story.step("She edits a file, and plans it without a commit"):
        laptop.edit(CHANGE)
        told = laptop.run("plan")
        story.check("everything is new on her laptop", true=told["summary"]["add"] == 4, seen=told)
        story.check("the edit is planned", true=told["uncommitted"] == ["infra/servers.tf"], seen=told)

    with story.step("She applies it to dev's own cloud and state, and its smoke check passes"):
        told = laptop.run("apply", "--yes")
        story.check("it is verified", true=told["apply"]["verification"] == "passed", seen=told)
        found = sorted(story.resources("dev"))
        story.check("dev has both servers", true=found == ["dev-api", "dev-web"], seen=found)
        others = {env: story.resources(env) for env in ("ci", "test", "staging")}
        story.check("no other environment has any", true=not any(others.values()), seen=others)


def _ci(story: Story, laptop: DevLaptop) -> None:
    with story.step("She commits, and asks what ci will say"):
        laptop.commit("Add a server")
        told = laptop.run("ci")
        (local,) = told["checks"]
        story.check("ci will succeed", true=told["ok"] and local["conclusion"] == "success", seen=told)

    with story.step("She opens the pull request, and ci says exactly that"):
        page = story.propose(CHANGE)
        story.wait_for_plan(page, "ci")
        story.wait_for("the check of ci", lambda: page.check("ci").conclusion)
        check = page.check("ci")
        story.check("the same verdict", true=check.conclusion == local["conclusion"], seen=check)
        story.check(
            "the same numbers", true=check.title == local["title"], seen=(check.title, local["title"])
        )
        story.check("the same plan", true=check.text == local["text"], seen=(check.text, local["text"]))


def _down(story: Story, laptop: DevLaptop) -> None:
    with story.step("`towpath dev down` destroys what she applied, and stops the dependencies"):
        told = laptop.run("down", "--yes")
        story.check("it is stopped", true=[one["ended"] for one in told["stopped"]] == ["stopped"], seen=told)
        story.check("nothing is left", true=not story.resources("dev"), seen=story.resources("dev"))
