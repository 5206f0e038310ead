// Drawings that can be pointed at: the SVG of the page stays in its place; plotly draws over it once it is loaded.

const WIDE = matchMedia("(min-width: 761px)"); // a small screen keeps the drawing that is made for it
const SETTINGS = { displayModeBar: false, doubleClick: false, showTips: false, responsive: false, scrollZoom: false };

let loading = null;
let asked = 0;
let figures = { at: "", by: {} };

function load() {
  loading ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    document.head.append(Object.assign(script, { src: "/static/plotly.min.js", onload: done, onerror: failed }));
  });
  return loading;
}

const quiet = () => new Promise((done) => (window.requestIdleCallback ? requestIdleCallback(done, { timeout: 1500 }) : setTimeout(done, 60)));

export function draw() {
  asked += 1;
  const places = document.querySelectorAll("#main [data-plot]");
  if (!WIDE.matches) return forget();
  for (const place of places) watch(place);
}

// once a drawing is near the screen: what it takes to draw it
async function ready() {
  const turn = asked;
  const at = `${location.search}#${document.body.dataset.version}`;
  if (window.Plotly === undefined) await quiet();
  const [found] = await Promise.all([figures.at === at ? figures.by : fetched(at), load()]);
  return turn === asked && found;
}

let fetching = { at: "", figures: null };

function fetched(at) {
  if (fetching.at !== at) fetching = { at, figures: asking(at) };
  return fetching.figures;
}

async function asking(at) {
  const url = new URL(location.href);
  url.searchParams.set("part", "figures");
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(answer.statusText);
  const by = await answer.json();
  figures = { at, by };
  return by;
}

// ---- one drawing ------------------------------------------------------------------------------------------------------

const near = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) soon(entry.target);
}, { rootMargin: "300px" });

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) if (target.dataset.ownPlotted !== undefined) plot(target);
});

async function soon(place) {
  try {
    if (await ready()) await plot(place);
  } catch {
    fetching = { at: "", figures: null }; // the drawing of the page stays
  }
}

function watch(place) {
  near.unobserve(place);
  near.observe(place);
  sizes.observe(place);
}

function figure(place) {
  const block = place.closest("[data-key]");
  const at = [...block.querySelectorAll("[data-plot]")].indexOf(place);
  return figures.by[block.dataset.key]?.[at];
}

async function plot(place) {
  const svg = place.querySelector("svg");
  const of = figure(place);
  if (!of || !svg || !place.isConnected) return;
  const inside = svg.getBoundingClientRect();
  if (!inside.width) return;
  const outside = place.getBoundingClientRect();
  let box = place.querySelector(":scope > .plot");
  if (!box) {
    box = document.createElement("div");
    box.className = "plot";
    box.dataset.own = "";
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", svg.getAttribute("aria-label") ?? "");
    place.append(box);
  }
  box.style.left = `${inside.left - outside.left - place.clientLeft}px`;
  box.style.top = `${inside.top - outside.top - place.clientTop}px`;
  const scaled = fitted(of, inside.width, svg);
  if (box.zoomed) {
    scaled.layout.xaxis.range = [...box.layout.xaxis.range];
    unframed(scaled.layout);
  }
  await window.Plotly.react(box, scaled.data, scaled.layout, SETTINGS);
  place.dataset.ownPlotted = "";
  if (box.listening) return;
  box.listening = true;
  box.whole = () => fitted(figure(place), svg.getBoundingClientRect().width, svg);
  box.on("plotly_relayout", (change) => {
    if (Object.keys(change).some((key) => key.includes("axis.range[")) && !box.zoomed) zoomed(place, box);
  });
}

function zoomed(place, box) {
  box.zoomed = true;
  const layout = structuredClone(box.layout);
  unframed(layout);
  window.Plotly.relayout(box, { "xaxis.tickmode": "auto", shapes: layout.shapes });
  const back = Object.assign(document.createElement("button"), { type: "button", className: "plain back", textContent: "Whole" });
  back.dataset.own = "";
  const whole = () => {
    box.zoomed = false;
    back.remove();
    const { data, layout } = box.whole();
    window.Plotly.react(box, data, layout, SETTINGS);
    place.querySelector(".cursor")?.removeAttribute("hidden");
  };
  back.addEventListener("click", whole);
  box.on("plotly_doubleclick", () => box.zoomed && whole());
  place.append(back);
  place.querySelector(".cursor")?.setAttribute("hidden", "");
}

function unframed(layout) {
  layout.shapes = (layout.shapes ?? []).filter((shape) => shape.name !== "break");
  layout.xaxis.tickmode = "auto";
}

// in the size and the colours of the page
function fitted(of, width, svg) {
  const style = getComputedStyle(svg);
  const colours = new Map();
  const colour = (name) => {
    if (!colours.has(name)) colours.set(name, style.getPropertyValue(name).trim() || "#888");
    return colours.get(name);
  };
  const walk = (value) => {
    if (typeof value === "string") return value.startsWith("var(--") ? colour(value.slice(4, -1)) : value;
    if (Array.isArray(value)) return typeof value[0] === "number" ? value.slice() : value.map(walk);
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, walk(part)]));
    return value;
  };
  const { data, layout } = walk(of);
  const by = width / layout.width;
  for (const side of ["l", "r", "t", "b"]) layout.margin[side] *= by;
  layout.width *= by;
  layout.height *= by;
  layout.font = { ...layout.font, size: 12 * by, family: style.fontFamily };
  layout.hoverlabel.font.family = style.fontFamily;
  for (const axis of [layout.xaxis, layout.yaxis]) {
    axis.title.font.size *= by;
    axis.tickfont = { size: 12 * by };
  }
  for (const note of layout.annotations) {
    note.font.size *= by;
    for (const shift of ["xshift", "yshift"]) if (note[shift]) note[shift] *= by;
  }
  for (const shape of layout.shapes) {
    const scaled = [["x", shape.xsizemode], ["y", shape.ysizemode]].filter(([, mode]) => mode === "pixel");
    for (const [side] of scaled) for (const end of ["0", "1"]) shape[side + end] *= by;
  }
  for (const trace of data) {
    if (trace.hoverlabel) trace.hoverlabel = { ...layout.hoverlabel, ...trace.hoverlabel };
    if (trace.line?.width) trace.line.width *= by;
    if (typeof trace.marker?.size === "number") trace.marker.size *= by;
  }
  return { data, layout };
}

export function forget() {
  asked += 1;
  figures = { at: "", by: {} };
  fetching = { at: "", figures: null };
  for (const box of document.querySelectorAll("#main .plot")) {
    const place = box.parentElement;
    delete place.dataset.ownPlotted;
    window.Plotly?.purge(box);
    box.remove();
    place.querySelector(".back")?.remove();
  }
}

WIDE.addEventListener("change", draw);
