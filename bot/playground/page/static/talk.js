// Between the page and its server: what is looked at, fragments, and what is pressed.

import { morph } from "./morph.js";

const token = document.querySelector("meta[name=page-token]").content;
const STORE = "towpath-playground";

// What this page looks at: pull request and tab, acting person; Slack's person, channel and thread.
export const looking = { pull: "", tab: "", author: "ann", user: "ann", channel: "infra", thread: "" };
Object.assign(looking, JSON.parse(sessionStorage.getItem(STORE) || "{}"));
const asked = new URLSearchParams(location.search).get("pull");
if (asked) looking.pull = asked;

const parsed = new DOMParser();
const drawn = {}; // part → called after it was drawn
const drawing = {}; // part → the promise of the drawing that is under way
const stale = {}; // part → whether it has changed since it was last fetched

export function onDrawn(part, call) {
  drawn[part] = call;
}

export function look(changes, ...parts) {
  Object.assign(looking, changes);
  sessionStorage.setItem(STORE, JSON.stringify(looking));
  return Promise.all(parts.map(draw));
}

// Resolves when the part is drawn as it is now, or could not be fetched.
export function draw(part) {
  stale[part] = true;
  drawing[part] ||= (async () => {
    while (stale[part]) {
      stale[part] = false;
      await drawOnce(part).catch(() => {}); // the stream's own reconnecting draws again
    }
    drawing[part] = null;
  })();
  return drawing[part];
}

async function drawOnce(part) {
  const query = String(new URLSearchParams(looking));
  const answer = await fetch(`/parts/${part}?${query}`);
  const text = await answer.text();
  if (query !== String(new URLSearchParams(looking))) stale[part] = true; // somebody looks elsewhere meanwhile
  else if (answer.ok) drawn[part](parsed.parseFromString(text, "text/html").body, morph);
  else if (part === "slack" && looking.channel !== "infra") look({ channel: "infra", thread: "" }, "slack");
}

export async function act(name, fields) {
  try {
    const answer = await fetch("/act", {
      method: "POST",
      headers: { "content-type": "application/json", "x-page-token": token },
      body: JSON.stringify({ ...fields, act: name }),
    });
    const told = await answer.json();
    if (!answer.ok) toast(told.error);
    return answer.ok ? told : null;
  } catch {
    toast("The playground does not answer. Is `towpath demo` still running?");
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

export function follow(onLost) {
  const source = new EventSource("/events");
  source.addEventListener("changed", (event) => {
    onLost(false);
    JSON.parse(event.data).forEach(draw);
  });
  source.addEventListener("error", () => onLost(true));
}
