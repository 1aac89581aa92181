// The pane below: prod and staging. It is fetched only while it is open.

import { navigate, onRefresh, view } from "./client.js";

const $ = (id) => document.getElementById(id);

onRefresh("databases", (source, morph) => {
  morph($("databases-body"), source);
  $("databases").hidden = !$("databases-body").childElementCount; // closed, or a demo without databases
});

function show(open) {
  return navigate({ databases: open ? "open" : "" }, "databases", "bar");
}

$("bar").addEventListener("click", (event) => {
  if (event.target.id === "databases-open") show(view.databases !== "open");
});

$("databases-close").addEventListener("click", () => {
  show(false).then(() => $("databases-open")?.focus());
});

$("databases-body").addEventListener("click", (event) => {
  const { table, page } = event.target.closest("button")?.dataset ?? {};
  if (table) navigate({ table, page: "0" }, "databases");
  else if (page) navigate({ page }, "databases");
});
