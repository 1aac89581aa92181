// Every control has data-act; its other data attributes and its form's fields are sent along.

import "./databases.js";
import { followChanges, navigate, onRefresh, perform, refresh, view } from "./client.js";
import { propose, scrollToEnd } from "./pull.js";
import { formValues } from "./slack.js";

const $ = (id) => document.getElementById(id);
const DISMISSED = "towpath-playground-strip";

onRefresh("bar", (source, morph) => morph($("bar"), source));

async function send(control, fields) {
  const { act: name, ...data } = control.dataset;
  if (data.confirmTitle && !(await confirmed(data))) return;
  if (data.with) fields[data.with] = $("comment").value;
  control.setAttribute("aria-busy", "true");
  const done = await perform(name, { ...view, ...data, ...fields });
  control.removeAttribute("aria-busy");
  if (!done) return;
  if (data.with) $("comment").value = "";
  if (name === "slack.send" || name === "pull.comment") control.reset?.();
  if (control.closest(".react")) control.closest(".react").open = false;
  await Promise.all([refresh("pull"), refresh("slack"), refresh("bar")]);
  if (name === "pull.comment") scrollToEnd();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.act && button.type === "button") send(button, {});
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
    const fields = form.dataset.view ? { values: formValues(form) } : Object.fromEntries(new FormData(form));
    if (form.id === "line-form") fields.thread = "";
    send(form, fields);
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

function showHints(open) {
  $("strip").hidden = !open;
  localStorage.setItem(DISMISSED, open ? "" : "yes");
}
$("strip").hidden = localStorage.getItem(DISMISSED) === "yes";
$("strip-close").addEventListener("click", () => showHints(false));
$("bar").addEventListener("click", (event) => event.target.id === "strip-open" && showHints($("strip").hidden));

$("line").dataset.hint = $("line").placeholder.replace(/^[^,]*, /, "");
navigate({});
followChanges((lost) => $("lost") && ($("lost").hidden = !lost));
