// Makes an element like a fresh one by the least change: what is the same stays, with its focus, ticks and open details.

const OWN = "data-own"; // put there by a script: no fresh page has it

export function patch(old, fresh, { mark = false } = {}) {
  if (!old || !fresh) return;
  if (old.dataset?.hash && old.dataset.hash === fresh.dataset?.hash) return;
  attributes(old, fresh);
  children(old, fresh, mark);
}

function attributes(old, fresh) {
  for (const { name, value } of [...fresh.attributes]) {
    if (old.getAttribute(name) !== value && !(name === "open" && old.localName === "details")) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (fresh.hasAttribute(name) || name.startsWith(OWN) || (name === "open" && old.localName === "details")) continue;
    if (name === "class" || name === "style" || name === "hidden") continue;
    old.removeAttribute(name);
  }
}

function key(node) {
  return node.nodeType === 1 ? node.dataset.key || node.id || node.querySelector(":scope > .top a, :scope > td a")?.href || "" : "";
}

function children(old, fresh, mark) {
  const own = [...old.childNodes].filter((node) => node.nodeType === 1 && node.hasAttribute(OWN));
  const before = [...old.childNodes].filter((node) => !own.includes(node));
  const keyed = new Map(before.filter(key).map((node) => [key(node), node]));
  let place = 0;
  for (const node of [...fresh.childNodes]) {
    while (before[place] && keyed.get(key(before[place])) === null) place += 1;
    const name = key(node);
    const same = name ? keyed.get(name) : before[place] && !key(before[place]) ? before[place] : undefined;
    const kept = same && same.nodeType === node.nodeType && same.nodeName === node.nodeName ? same : null;
    const at = before[place] ?? own[0] ?? null;
    if (!kept) {
      old.insertBefore(node, at);
      if (mark && name && node.nodeType === 1) node.classList.add("fresh");
      continue;
    }
    if (kept !== at) old.insertBefore(kept, at);
    else place += 1;
    if (name) keyed.set(name, null);
    before[before.indexOf(kept)] = undefined;
    if (!kept.isEqualNode(node)) {
      if (kept.nodeType === 1) patch(kept, node, { mark });
      else kept.nodeValue = node.nodeValue;
    }
    while (place < before.length && before[place] === undefined) place += 1;
  }
  for (const node of before) if (node) node.remove();
}
