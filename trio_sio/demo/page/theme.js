// Light or dark: as the system says, until the visitor chooses. Runs before the first paint.
(() => {
  const root = document.documentElement;
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

  function remembered() {
    try {
      return JSON.parse(localStorage.getItem("theme"));
    } catch (_) {
      return null; // storage can be forbidden; then the choice lasts as long as the page
    }
  }

  function show(theme) {
    root.dataset.theme = theme || (systemIsDark.matches ? "dark" : "light");
  }

  show(remembered());
  systemIsDark.addEventListener("change", () => show(remembered()));
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#theme, #hood-theme")) return;
    const theme = root.dataset.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("theme", JSON.stringify(theme));
    } catch (_) {
      // as above
    }
    show(theme);
  });
})();
