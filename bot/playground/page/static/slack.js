// The right half.

import { look, looking, onDrawn } from "./talk.js";

const $ = (id) => document.getElementById(id);
const NEAR = 40; // pixels from the end within which a list of messages follows what is new
let shown = "";

onDrawn("slack", (source, morph) => {
  const before = ["messages", "thread-messages"].map((id) => [id, atEnd($(id))]);
  const hadModal = Boolean(document.querySelector(".modal"));
  morph($("slack-body"), source);
  const now = `${looking.user} ${looking.channel}`;
  for (const [id, end] of before)
    if ($(id) && (end || (id === "messages" && now !== shown))) $(id).scrollTop = $(id).scrollHeight;
  shown = now;
  $("user").value = looking.user;
  $("line-form").hidden = looking.channel === "home";
  const place = looking.channel === "direct" ? "Towpath" : `#${looking.channel}`;
  $("line").placeholder = `Message ${place}` + (looking.channel === "direct" ? "" : `, ${$("line").dataset.hint}`);
  if (!hadModal) document.querySelector(".modal input, .modal textarea, .modal select")?.focus();
});

function atEnd(list) {
  return !list || list.scrollHeight - list.scrollTop - list.clientHeight < NEAR;
}

$("slack-body").addEventListener("change", (event) => {
  if (event.target.id === "user") look({ user: event.target.value, thread: "" }, "slack");
});

$("slack-body").addEventListener("click", (event) => {
  const button = event.target.closest("[data-channel]:not([data-act]), [data-thread]:not(form)");
  if (!button) return;
  if (button.dataset.channel) look({ channel: button.dataset.channel, thread: "" }, "slack");
  else look({ thread: button.dataset.thread }, "slack").then(() => $("thread-line")?.focus());
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  const close = document.querySelector(".modal header button");
  if (close) close.click();
  else if (looking.thread) look({ thread: "" }, "slack");
});

// A modal's fields: block id → text, or the chosen values of a group or a list of several.
export function values(form) {
  const found = {};
  for (const field of form.elements) {
    if (!field.name) continue;
    if (field.type === "checkbox") found[field.name] = [...(found[field.name] || []), ...(field.checked ? [field.value] : [])];
    else if (field.type === "radio") found[field.name] = field.checked ? field.value : found[field.name] ?? null;
    else if (field.multiple) found[field.name] = [...field.selectedOptions].map((one) => one.value);
    else found[field.name] = field.value || null;
  }
  return found;
}
