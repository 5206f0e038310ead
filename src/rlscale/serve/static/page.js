// Keeps the page as it stands: what changed is asked for and put in its place; nothing is computed here.

import { patch } from "./patch.js";
import { draw, forget } from "./charts.js";
import { watchSlider } from "./slider.js";
import { watchChoice } from "./choice.js";

const main = document.getElementById("main");
const pages = document.getElementById("pages");
const live = document.getElementById("live");
const said = document.getElementById("said");
const body = document.body;

document.documentElement.classList.add("scripted");

// ---- going to a state: the URL is the state -------------------------------------------------------------------------

let going = null;

async function show(url, { here = false } = {}) {
  going?.abort();
  going = new AbortController();
  const signal = going.signal;
  const late = setTimeout(() => main.classList.add("busy"), 200);
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" }, signal });
    if (answer.redirected && new URL(answer.url).pathname !== location.pathname) return location.assign(url);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = fresh.title;
    patch(pages, fresh.getElementById("pages"));
    patch(main, fresh.getElementById("main"), { mark: here });
    body.dataset.version = fresh.body.dataset.version ?? "0";
    body.dataset.at = fresh.body.dataset.at ?? "0";
    state();
    arrive({ here });
    return true;
  } catch (error) {
    if (error.name !== "AbortError") offline();
    return false;
  } finally {
    clearTimeout(late);
    if (!signal.aborted) main.classList.remove("busy");
  }
}

function arrive({ here = false } = {}) {
  watchChoice();
  watchSlider();
  draw();
  if (here) return;
  const tab = pages.querySelector("[aria-current]"); // on small screens the tabs are wider than the screen
  if (tab) pages.scrollLeft = tab.offsetLeft - pages.offsetLeft - (pages.clientWidth - tab.clientWidth) / 2;
}

export async function go(url, { replace = false } = {}) {
  const there = new URL(url, location.href);
  history[replace ? "replaceState" : "pushState"](null, "", there);
  const same = replace;
  if (!same) forget();
  if (await show(there, { here: same }) && !same) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
    said.textContent = document.title;
  }
}

addEventListener("popstate", () => {
  forget();
  show(location.href);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const there = new URL(link.href);
  if (there.origin !== location.origin || there.pathname !== "/" || there.hash || link.target) return;
  event.preventDefault();
  go(there);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "get") return;
  event.preventDefault();
  go(address(form));
});

function address(form) {
  const there = new URL(form.action);
  const pairs = [...new FormData(form)].filter(([, value]) => value !== "");
  there.search = new URLSearchParams(pairs).toString();
  return there;
}

// ---- tools ----------------------------------------------------------------------------------------------------------

let typed = 0;

document.addEventListener("input", (event) => {
  const form = event.target.closest("form.tools");
  if (!form) return;
  clearTimeout(typed);
  typed = setTimeout(() => go(address(form), { replace: true }), 150);
});

document.addEventListener("keydown", (event) => {
  const writing = event.target.closest?.("input:not([type=checkbox], [type=range]), textarea, select");
  if (event.key === "Escape" && writing) return writing.blur();
  if (writing || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.key === "/") {
    const search = document.querySelector("#tools input[type=search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "t") turn();
});

const theme = document.getElementById("theme");
const root = document.documentElement;

function turn() {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem("rlscale-theme", root.dataset.theme);
  } catch {
    // no storage: until the page is left
  }
  named();
  forget();
  draw();
}

function named() {
  theme.querySelector("span span").textContent = root.dataset.theme ?? "as the system";
}

theme.hidden = false;
theme.addEventListener("click", turn);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  forget();
  draw();
});
named();

// ---- live -----------------------------------------------------------------------------------------------------------

let stream = null;
let retry = 0;
let off = false;
let missed = false; // a server that comes back may count its versions anew

function listen() {
  stream?.close();
  stream = new EventSource("/events");
  stream.addEventListener("open", online);
  stream.addEventListener("version", (event) => {
    online();
    if (missed || event.data !== body.dataset.version) update();
    else beat();
    missed = false;
  });
  stream.addEventListener("error", () => {
    offline();
    if (stream.readyState === EventSource.CLOSED) {
      clearTimeout(retry);
      retry = setTimeout(listen, 3000);
    }
  });
}

let updating = null;

async function update() {
  if (updating) return (updating = "again");
  updating = "now";
  live.classList.add("busy");
  const done = await show(location.href, { here: true });
  live.classList.remove("busy");
  const again = updating === "again";
  updating = null;
  if (done) {
    beat();
    said.textContent = "Updated";
  }
  if (again) update();
}

function beat() {
  live.classList.remove("beat");
  void live.offsetWidth;
  live.classList.add("beat");
}

function online() {
  if (off) said.textContent = "Live again";
  off = false;
  state();
}

function offline() {
  if (!off) said.textContent = "Offline: the page shows what was read last, and connects again by itself";
  off = missed = true;
  state();
}

function state() {
  live.hidden = false;
  live.classList.toggle("off", off);
  live.querySelector(".word").textContent = off ? "offline" : "live";
  const seconds = Math.max(0, Math.round(Date.now() / 1000 - Number(body.dataset.at)));
  const age = seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
  const read = Object.assign(document.createElement("span"), { className: "read", textContent: "unchanged for " });
  live.querySelector(".age").replaceChildren(...(Number(body.dataset.at) ? [" · ", read, age] : []));
  live.title = off ? "The server does not answer; this page connects again by itself" : "New points appear by themselves";
}

setInterval(state, 1000);
state();
listen();
arrive();
