// The right half: Slack.

import { navigate, onRefresh, view } from "./client.js";

const $ = (id) => document.getElementById(id);
const NEAR = 40; // pixels from the end within which a message list scrolls to new messages
let lastPlace = "";

onRefresh("slack", (source, morph) => {
  const before = ["messages", "thread-messages"].map((id) => [id, atEnd($(id))]);
  const hadModal = Boolean(document.querySelector(".modal"));
  morph($("slack-body"), source);
  const place = `${view.user} ${view.channel}`;
  for (const [id, end] of before)
    if ($(id) && (end || (id === "messages" && place !== lastPlace))) $(id).scrollTop = $(id).scrollHeight;
  lastPlace = place;
  $("user").value = view.user;
  $("line-form").hidden = view.channel === "home";
  const name = view.channel === "direct" ? "Towpath" : `#${view.channel}`;
  $("line").placeholder = `Message ${name}` + (view.channel === "direct" ? "" : `, ${$("line").dataset.hint}`);
  if (!hadModal) document.querySelector(".modal input, .modal textarea, .modal select")?.focus();
});

function atEnd(list) {
  return !list || list.scrollHeight - list.scrollTop - list.clientHeight < NEAR;
}

$("slack-body").addEventListener("change", (event) => {
  if (event.target.id === "user") navigate({ user: event.target.value, thread: "" }, "slack");
});

$("slack-body").addEventListener("click", (event) => {
  const button = event.target.closest("[data-channel]:not([data-act]), [data-thread]:not(form)");
  if (!button) return;
  if (button.dataset.channel) navigate({ channel: button.dataset.channel, thread: "" }, "slack");
  else navigate({ thread: button.dataset.thread }, "slack").then(() => $("thread-line")?.focus());
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  const close = document.querySelector(".modal header button");
  if (close) close.click();
  else if (view.thread) navigate({ thread: "" }, "slack");
});

// Returns a modal's fields: block id → text, or the chosen values of a checkbox group or multi-select.
export function formValues(form) {
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
