// Before the first paint: the colours that were chosen here last.
(() => {
  try {
    const theme = localStorage.getItem("rlscale-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // no storage: as the system
  }
})();
