"""Nothing that somebody writes runs, breaks out of its place, or drives the page."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from bot.errors import UserError
from bot.playground.page import markdown, mrkdwn
from bot.playground.page.links import Links
from bot.playground.page.server import Page as Served
from bot.playground.page.server import listen
from bot.playground.world import REPOSITORY, World
from tests.browser.support import Seen

HOSTILE = """\
<script>document.title = "hit"</script>
<img src=x onerror="document.title='hit'"> <svg/onload=document.title='hit'>
<details open ontoggle="document.title='hit'"><summary onclick="document.title='hit'">fold</summary>

[a](javascript:document.title='hit') <a href="javascript:document.title='hit'">b</a> ![c](javascript:alert(1))
<a href=" java&#115;cript:document.title='hit'">d</a> <iframe srcdoc="<script>parent.document.title='hit'</script>">

</article></li></ol></div><form action="/act"><input name="act" value="bar.kill"><style>body{display:none}</style>
<kbd>K</kbd><sub>s</sub><b>bold

| a | b |
|---|--:|
| `</code>` | <b onmouseover=alert(1)>x</b> |
"""
links = Links("http://github.test", "http://slack.test", REPOSITORY)


@pytest.mark.chromium
def test_hostile_words_are_words(seen: Seen, world: World) -> None:
    page = seen.page
    number = seen.propose("drop-dns", "<img src=x onerror=document.title='hit'>")
    expect(seen.status).to_be_visible()
    stories = page.locator("#story .entry.comment").count()
    world.github.comment(REPOSITORY, number, author="dave", body=HOSTILE)
    world.slack.write("dave", "#infra", "*bold* <script>document.title='hit'</script> `<b>` @ann")
    world.github.comment(REPOSITORY, number, author="bob", body="after all of it")
    entry = seen.comments("bar.kill")
    expect(entry.locator("kbd")).to_have_text("K")
    expect(entry.locator("td code")).to_have_text("</code>")
    expect(seen.comments("after all of it").last).to_be_visible()
    entry.get_by_text("fold", exact=True).click()
    expect(page.locator("#messages .message").last).to_contain_text(
        "<script>document.title='hit'</script> <b> @Ann"
    )
    assert page.locator("#story > .entry.comment").count() == stories + 2
    assert page.locator("#pull :is(script, img, svg, iframe, style, form, input)").count() == 0
    assert page.locator("#slack-body :is(script, img, svg, iframe, style)").count() == 0
    assert page.locator("a[href^='javascript' i], a[href^=' ' i]").count() == 0
    assert page.title() == "Towpath playground"


def test_a_closing_tag_ends_nothing_of_the_page() -> None:
    shown = markdown.render("</details></td></div> <details><summary>a\n\n<b>b", links)
    assert shown.count("<details>") == shown.count("</details>") == 1
    assert shown.count("<b>") == shown.count("</b>") == 1
    assert "</td>" not in shown
    assert "&lt;/div&gt;" in shown


def test_markdown_as_on_github() -> None:
    shown = markdown.render(
        "a\nb ~~c~~ @ann https://example.com/x. mail@example.com\n\n- [x] done\n\n```diff\n+ a\n- b\n! c\n d\n```\n\n"
        "[commit](http://github.test/acme/infra/commit/0123456789) <!-- hidden --> `@bob`",
        links,
    )
    assert "a<br>" in shown
    assert "<s>c</s>" in shown
    assert '<strong class="mention">@ann</strong>' in shown
    assert (
        '<a href="https://example.com/x" target="_blank" rel="noopener noreferrer">https://example.com/x</a>.'
        in shown
    )
    assert "☑ done" in shown
    assert (
        '<span class="added">+ a</span>\n<span class="removed">- b</span>\n<span class="changed">! c</span>\n d'
        in shown
    )
    assert '<a href="/commit/0123456789">commit</a>' in shown
    assert "hidden" not in shown
    assert "<code>@bob</code>" in shown


def test_mrkdwn_as_in_slack() -> None:
    names = {"U0ANN": "Ann", "C0INFRA": "infra"}

    def shown(text: str) -> str:
        return str(mrkdwn.render(text, names, links))

    assert shown("*b* _i_ ~s~ a*b*c 2*3*4") == "<strong>b</strong> <em>i</em> <s>s</s> a*b*c 2*3*4"
    assert shown("`*not*` &lt;b&gt; &amp;lt;") == "<code>*not*</code> &lt;b&gt; &amp;lt;"
    assert shown("a\n```x\n*y*```\nb") == "a<pre>x\n*y*</pre>b"
    assert shown("<@U0ANN> <#C0INFRA|infra> <!here>").count('class="mention"') == 3
    assert shown("<javascript:alert(1)|x> <https://e.test/?a=1&amp;b=2|y>") == (
        'x <a href="https://e.test/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">y</a>'
    )
    assert shown("&gt; q\n:lock: :nothing:") == "<blockquote>q</blockquote>🔒 :nothing:"
    assert shown('<script>"') == "&lt;script&gt;&quot;".replace("&lt;script&gt;", "script")


def test_only_this_page_can_press(served: Served, world: World) -> None:
    with httpx.Client(base_url=served.url, trust_env=False) as client:
        assert client.post("/act", json={"act": "bar.kill"}).status_code == 403
        assert (
            client.post("/act", json={"act": "bar.kill"}, headers={"x-page-token": "guess"}).status_code
            == 403
        )
        assert world.bot.alive
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80"):
            assert client.get("/", headers={"host": host}).status_code == 400
        index = client.get("/")
        policy = index.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert client.get("/static/../app.py").status_code == 404
        assert client.get("/commit/--output=x").status_code == 200
        assert client.get("/parts/slack?user=nobody").status_code == 404


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(UserError, match="in use by another program"),
    ):
        listen(taken.getsockname()[1])
