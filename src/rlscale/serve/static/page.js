// Keeps the page as it stands: what changed is asked for and put in its place; the rest is not touched.

const main = document.getElementById("main");

async function refresh() {
  const url = new URL(location.href);
  url.searchParams.set("part", "main");
  const answer = await fetch(url, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
  const before = new Map([...main.querySelectorAll(":scope > [data-key]")].map((part) => [part.dataset.key, part]));
  const parts = [...fresh.querySelectorAll(":scope > [data-key]")];
  main.replaceChildren(
    ...parts.map((part) => {
      const old = before.get(part.dataset.key);
      return old && old.dataset.hash && old.dataset.hash === part.dataset.hash ? old : part;
    }),
  );
}

const stream = new EventSource("/events");
stream.addEventListener("version", (event) => {
  if (event.data !== document.body.dataset.version) {
    document.body.dataset.version = event.data;
    refresh();
  }
});
