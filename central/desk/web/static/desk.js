"use strict";
// Says whether what is shown goes on by itself. Everything else works without a script of ours.
(() => {
  const say = (word, on) => {
    const live = document.getElementById("live");
    if (!live) return;
    live.hidden = false;
    live.classList.toggle("on", on);
    live.querySelector(".word").textContent = word;
  };
  document.addEventListener("htmx:sseOpen", () => say("live", true));
  document.addEventListener("htmx:sseError", () => say("as of a moment ago", false));
  // one box that ticks all others of its table
  document.addEventListener("change", (event) => {
    const all = event.target.closest("[data-ticks]");
    if (!all) return;
    for (const each of document.getElementsByName(all.dataset.ticks)) each.checked = all.checked;
  });
})();
