// The left half.

import { act, look, looking, onDrawn } from "./talk.js";

const $ = (id) => document.getElementById(id);

onDrawn("pull", (source, morph) => {
  morph($("pull"), source);
  const root = $("pull-root");
  for (const id of ["composer", "push"]) $(id).hidden = !root || looking.tab === "files";
  if (!root) return;
  const list = $("pull-list").content.cloneNode(true);
  const holder = document.createElement("select");
  holder.append(list);
  if (holder.innerHTML !== $("pulls").innerHTML) $("pulls").replaceChildren(...holder.childNodes);
  looking.pull = $("pulls").value = root.dataset.number;
  const open = root.dataset.state === "open";
  if (!open) $("push").hidden = true;
  for (const one of document.querySelectorAll(".composer .when-open")) one.hidden = !open;
  for (const one of document.querySelectorAll(".composer .when-closed")) one.hidden = open || root.dataset.merged;
});

$("author").value = looking.author;
$("author").addEventListener("change", () => look({ author: $("author").value }, "pull"));
$("pulls").addEventListener("change", () => look({ pull: $("pulls").value, tab: "" }, "pull"));

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin) return;
  if (url.pathname === "/" && url.searchParams.get("pull")) {
    event.preventDefault();
    const changes = { pull: url.searchParams.get("pull"), tab: url.searchParams.get("tab") || "" };
    look(changes, "pull").then(() => reveal(url.hash));
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
  $("propose").querySelector("[name=author]").value = looking.author;
  $("propose").showModal();
});

export async function propose(form) {
  const made = await act("pull.propose", Object.fromEntries(new FormData(form)));
  if (!made) return;
  $("propose").close();
  form.reset();
  await look({ pull: String(made.pull), tab: "" }, "pull");
}

export function toEnd() {
  $("composer").scrollIntoView({ block: "end" });
}
