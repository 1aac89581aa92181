// Makes the children of one element equal to those of another with the fewest changes, so that typed text, open
// details, scroll positions and focus are kept.

const KEPT = { DETAILS: ["open"], INPUT: ["value", "checked"], OPTION: ["selected"] };

export function morph(target, source) {
  const byId = new Map();
  for (const child of target.children) if (child.id) byId.set(child.id, child);
  let place = target.firstChild;
  for (const wanted of [...source.childNodes]) {
    const found = match(place, wanted, byId);
    if (!found) {
      target.insertBefore(document.importNode(wanted, true), place);
    } else {
      if (found === place) place = place.nextSibling;
      else target.insertBefore(found, place);
      update(found, wanted);
    }
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

function match(place, wanted, byId) {
  if (wanted.id) {
    const found = byId.get(wanted.id);
    return found && found.parentNode && found.nodeName === wanted.nodeName ? found : null;
  }
  // A node without an id reuses one of the same kind without an id.
  return place && place.nodeName === wanted.nodeName && !place.id ? place : null;
}

function update(node, wanted) {
  if (node.nodeType !== Node.ELEMENT_NODE) {
    if (node.nodeValue !== wanted.nodeValue) node.nodeValue = wanted.nodeValue;
    return;
  }
  const changed = node.dataset.version && node.dataset.version !== wanted.dataset.version;
  const kept = KEPT[node.nodeName] || [];
  for (const { name } of [...node.attributes])
    if (!wanted.hasAttribute(name) && !kept.includes(name)) node.removeAttribute(name);
  for (const { name, value } of wanted.attributes)
    if (!kept.includes(name) && node.getAttribute(name) !== value) node.setAttribute(name, value);
  if (node.nodeName === "TEXTAREA") return;
  if (node.nodeName === "TEMPLATE") node.content.replaceChildren(document.importNode(wanted.content, true));
  else if (node.nodeName === "SELECT" && node.isEqualNode(wanted)) return;
  else morph(node, wanted);
  if (changed) flash(node);
}

function flash(node) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  node.animate([{ outline: "2px solid #4a8fe7aa" }, { outline: "2px solid transparent" }], { duration: 1200 });
}
