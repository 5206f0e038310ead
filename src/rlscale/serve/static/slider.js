// The forecast at a target compute: every stop was computed by the server; here it is only looked up.

let stops = [];

export function watchSlider() {
  const input = document.getElementById("slider");
  stops = input ? JSON.parse(document.getElementById("stops").dataset.stops) : [];
  if (!input) return;
  const target = new URL(location.href).searchParams.get("target");
  const place = stops.findIndex((stop) => stop.target === target);
  if (place >= 0) input.value = String(place);
  tell(input);
}

function tell(input) {
  const stop = stops[input.value];
  if (!stop) return;
  const box = document.getElementById("stops");
  for (const name of ["compute", "median", "half", "wide", "words"]) box.querySelector(`.${name}`).textContent = stop[name];
  box.querySelector(".badge").className = `badge words ${stop.verdict}`;
  input.setAttribute("aria-valuetext", stop.said);
  point(stop);
}

// where the forecast stands in the drawing
function point(stop) {
  const drawing = document.querySelector(".sole .drawing");
  if (!drawing) return;
  let cursor = drawing.querySelector(".cursor");
  if (!cursor) {
    cursor = document.createElement("div");
    cursor.className = "cursor";
    cursor.dataset.own = "";
    cursor.append(document.createElement("b"), document.createElement("i"));
    drawing.append(cursor);
  }
  const svg = drawing.querySelector("svg").getBoundingClientRect();
  const shown = stop.left !== null && svg.width > 0;
  cursor.style.display = shown ? "" : "none";
  if (!shown) return;
  const around = drawing.getBoundingClientRect();
  cursor.style.left = `${svg.left - around.left + (svg.width * stop.left) / 100}px`;
  const at = (share) => `${svg.top - around.top + (svg.height * share) / 100}px`;
  cursor.children[0].style.top = at(stop.high);
  cursor.children[0].style.height = `${Math.max(2, (svg.height * (stop.low - stop.high)) / 100)}px`;
  cursor.children[1].style.top = at(stop.middle);
}

let kept = 0;

document.addEventListener("input", (event) => {
  if (event.target.id !== "slider") return;
  tell(event.target);
  clearTimeout(kept);
  kept = setTimeout(() => {
    const there = new URL(location.href);
    there.searchParams.set("target", stops[event.target.value].target);
    history.replaceState(null, "", there);
  }, 200);
});

addEventListener("resize", () => {
  const input = document.getElementById("slider");
  if (input) tell(input);
});
