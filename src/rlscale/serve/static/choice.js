// Runs chosen by their boxes: they stand in the URL, and are compared.

const runs = () => [...document.querySelectorAll(".pick input:checked")].map((box) => box.value);

export function watchChoice() {
  const form = document.getElementById("choice");
  if (!form) return;
  const chosen = new Set(new URL(location.href).searchParams.getAll("run"));
  for (const box of document.querySelectorAll(".pick input")) if (chosen.has(box.value)) box.checked = true;
  tell(form);
}

function tell(form) {
  const many = runs().length;
  form.querySelector(".many").textContent = many === 1 ? "1 chosen: one more to compare" : `${many} chosen`;
  form.querySelector("button[type=submit]").disabled = many < 2;
}

function keep() {
  const there = new URL(location.href);
  there.searchParams.delete("run");
  for (const run of runs()) there.searchParams.append("run", run);
  history.replaceState(null, "", there);
}

document.addEventListener("change", (event) => {
  if (!event.target.closest(".pick")) return;
  keep();
  tell(document.getElementById("choice"));
});

document.addEventListener("reset", (event) => {
  if (event.target.id !== "choice") return;
  event.preventDefault();
  for (const box of document.querySelectorAll(".pick input")) box.checked = false;
  keep();
});
