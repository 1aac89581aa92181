// The left half: pull requests.

import { navigate, onRefresh, perform, view } from "./client.js";

const $ = (id) => document.getElementById(id);

onRefresh("pull", (source, morph) => {
  morph($("pull"), source);
  const root = $("pull-root");
  for (const id of ["composer", "push"]) $(id).hidden = !root || view.tab === "files";
  if (!root) return;
  const list = $("pull-list").content.cloneNode(true);
  const holder = document.createElement("select");
  holder.append(list);
  if (holder.innerHTML !== $("pulls").innerHTML) $("pulls").replaceChildren(...holder.childNodes);
  view.pull = $("pulls").value = root.dataset.number;
  const open = root.dataset.state === "open";
  if (!open) $("push").hidden = true;
  for (const one of document.querySelectorAll(".composer .when-open")) one.hidden = !open;
  for (const one of document.querySelectorAll(".composer .when-closed")) one.hidden = open || root.dataset.merged;
});

$("author").value = view.author;
$("author").addEventListener("change", () => navigate({ author: $("author").value }, "pull"));
$("pulls").addEventListener("change", () => navigate({ pull: $("pulls").value, tab: "" }, "pull"));

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin) return;
  if (url.pathname === "/" && url.searchParams.get("pull")) {
    event.preventDefault();
    const changes = { pull: url.searchParams.get("pull"), tab: url.searchParams.get("tab") || "" };
    navigate(changes, "pull").then(() => reveal(url.hash));
  } else if (url.pathname === location.pathname && url.hash) {
    event.preventDefault();
    reveal(url.hash);
  }
});

function reveal(hash) {
  const found = hash && $(decodeURIComponent(hash.slice(1)));
  if (!found) return;
  for (let up = found; up; up = up.parentElement) if (up.nodeName === "DETAILS") up.open = true;
  found.scrollIntoView({ block: "start" });
}

$("propose-open").addEventListener("click", () => {
  $("propose").querySelector("[name=author]").value = view.author;
  $("propose").showModal();
});

export async function propose(form) {
  const answer = await perform("pull.propose", Object.fromEntries(new FormData(form)));
  if (!answer) return;
  $("propose").close();
  form.reset();
  await navigate({ pull: String(answer.pull), tab: "" }, "pull");
}

export function scrollToEnd() {
  $("composer").scrollIntoView({ block: "end" });
}
