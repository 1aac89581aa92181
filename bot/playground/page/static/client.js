// The page's side of the server: what is on view, fetching fragments, sending actions, following changes.

import { morph } from "./morph.js";

const token = document.querySelector("meta[name=page-token]").content;
const STORE = "towpath-playground";

// What the page shows: pull request, tab and acting user on the left; user, channel and thread on the right; below, the
// databases if they are "open", with the rows of one table.
export const view = { pull: "", tab: "", author: "ann", user: "ann", channel: "infra", thread: "", databases: "", table: "public.customers", page: "0" };
Object.assign(view, JSON.parse(sessionStorage.getItem(STORE) || "{}"));
const linkedPull = new URLSearchParams(location.search).get("pull");
if (linkedPull) view.pull = linkedPull;

const parser = new DOMParser();
const renderers = {}; // part → function that shows a new fragment
const refreshing = {}; // part → promise of the refresh under way
const stale = {}; // part → whether it changed since it was last fetched

export function onRefresh(part, render) {
  renderers[part] = render;
}

export function navigate(changes, ...parts) {
  Object.assign(view, changes);
  sessionStorage.setItem(STORE, JSON.stringify(view));
  return Promise.all(parts.map(refresh));
}

// Resolves when the part is up to date, or could not be fetched.
export function refresh(part) {
  stale[part] = true;
  refreshing[part] ||= (async () => {
    while (stale[part]) {
      stale[part] = false;
      await fetchPart(part).catch(() => {}); // the event stream reconnects and refreshes again
    }
    refreshing[part] = null;
  })();
  return refreshing[part];
}

async function fetchPart(part) {
  const query = String(new URLSearchParams(view));
  const response = await fetch(`/parts/${part}?${query}`);
  const text = await response.text();
  if (query !== String(new URLSearchParams(view))) stale[part] = true; // the view changed in the meantime
  else if (response.ok) renderers[part](parser.parseFromString(text, "text/html").body, morph);
  else if (part === "slack" && view.channel !== "infra") navigate({ channel: "infra", thread: "" }, "slack");
}

// Returns the server's answer, or null after showing its error.
export async function perform(name, fields) {
  try {
    const response = await fetch("/act", {
      method: "POST",
      headers: { "content-type": "application/json", "x-page-token": token },
      body: JSON.stringify({ ...fields, act: name }),
    });
    const answer = await response.json();
    if (!response.ok) toast(answer.error);
    return response.ok ? answer : null;
  } catch {
    toast("The playground is not responding. Is `towpath demo` still running?");
    return null;
  }
}

export function toast(text) {
  const line = document.createElement("p");
  line.className = "toast";
  line.textContent = text;
  document.getElementById("toasts").append(line);
  setTimeout(() => line.remove(), 7000);
}

export function followChanges(onLost) {
  const source = new EventSource("/events");
  source.addEventListener("changed", (event) => {
    onLost(false);
    JSON.parse(event.data).forEach(refresh);
  });
  source.addEventListener("error", () => onLost(true));
}
