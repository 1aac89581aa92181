// Everything that can be pressed carries data-act; its other data and its form's fields go along.

import { propose, toEnd } from "./pull.js";
import { values } from "./slack.js";
import { act, draw, follow, look, looking, onDrawn } from "./talk.js";

const $ = (id) => document.getElementById(id);
const DISMISSED = "towpath-playground-strip";

onDrawn("bar", (source, morph) => morph($("bar"), source));

async function press(from, fields) {
  const { act: name, ...data } = from.dataset;
  if (data.confirmTitle && !(await confirmed(data))) return;
  if (data.with) fields[data.with] = $("comment").value;
  from.setAttribute("aria-busy", "true");
  const done = await act(name, { ...looking, ...data, ...fields });
  from.removeAttribute("aria-busy");
  if (!done) return;
  if (data.with) $("comment").value = "";
  if (name === "slack.send" || name === "pull.comment") from.reset?.();
  if (from.closest(".react")) from.closest(".react").open = false;
  await Promise.all([draw("pull"), draw("slack"), draw("bar")]);
  if (name === "pull.comment") toEnd();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.act && button.type === "button") press(button, {});
  else if (button.dataset.dialog) $(button.dataset.dialog).showModal();
  else if ("close" in button.dataset) button.closest("dialog").close();
  else if (button.dataset.fill) fill(button.dataset.fill, button.dataset.text);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id === "propose" || form.dataset.act === "pull.propose") {
    event.preventDefault();
    propose(form);
  } else if (form.dataset.act) {
    event.preventDefault();
    const fields = form.dataset.view ? { values: values(form) } : Object.fromEntries(new FormData(form));
    if (form.id === "line-form") fields.thread = "";
    press(form, fields);
  }
});

function fill(id, text) {
  const field = $(id);
  field.value = text;
  field.focus();
  field.scrollIntoView({ block: "nearest" });
}

function confirmed(data) {
  $("confirm-title").textContent = data.confirmTitle;
  $("confirm-text").textContent = data.confirmText;
  $("confirm-yes").textContent = data.confirmYes;
  $("confirm-no").textContent = data.confirmNo;
  const dialog = $("confirm");
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }),
  );
}

$("comment").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("composer").requestSubmit();
});

function strip(open) {
  $("strip").hidden = !open;
  localStorage.setItem(DISMISSED, open ? "" : "yes");
}
$("strip").hidden = localStorage.getItem(DISMISSED) === "yes";
$("strip-close").addEventListener("click", () => strip(false));
$("bar").addEventListener("click", (event) => event.target.id === "strip-open" && strip($("strip").hidden));

$("line").dataset.hint = $("line").placeholder.replace(/^[^,]*, /, "");
look({});
follow((lost) => $("lost") && ($("lost").hidden = !lost));
