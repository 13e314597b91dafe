// Keys of a request, on its own page and beside the inbox. Keys only ever take the reader to a button; pressing it
// stays an act of its own.
(() => {
  "use strict";

  const { keys } = window.assent;
  const list = document.getElementById("waiting");
  const find = (selector) => document.querySelector(selector);

  function go(selector) {
    const link = find(selector);
    if (link) location.assign(link.href);
    return Boolean(link);
  }

  function open(details) {
    if (!details) return false;
    details.open = true;
    details.querySelector("textarea")?.focus();
    details.scrollIntoView({ block: "nearest" });
    return true;
  }

  keys.a = () => {
    const button = find("#decide .approve button, #decide .approve a");
    button?.focus();
    return Boolean(button);
  };
  keys.r = () => open(find("#decide details.reject"));
  keys.e = () => go("#decide [data-key-e]");
  keys.c = () => open(find("#talk details.control"));
  keys["/"] = () => {
    const box = document.getElementById("q");
    box?.focus();
    return Boolean(box);
  };
  if (!list) {
    keys.j = () => go("[data-key-j]");
    keys.k = () => go("[data-key-k]");
  }

  // How long the card was in sight, told with the decision. Time in a hidden tab, or while the card itself is not
  // shown, does not count; a part that refreshed shows the same request as before, so its first note is kept.

  const looks = new Map();
  const TICK = 250;

  function looked() {
    const form = find("#decide form.verdict");
    const card = document.getElementById("request");
    if (!form || !card) return null;
    const key = `${card.dataset.approval} ${form.elements.digest.value}`;
    if (!looks.has(key)) looks.set(key, { note: form.elements.look.value, visible: 0 });
    return { form, card, look: looks.get(key) };
  }

  let ticked = performance.now();
  function tick() {
    const now = performance.now();
    // A machine that slept, or a throttled tab, must not count what nobody saw.
    const passed = Math.min(now - ticked, 2 * TICK);
    ticked = now;
    const found = looked();
    if (found && document.visibilityState === "visible" && found.card.offsetParent) found.look.visible += passed;
  }
  tick();
  setInterval(tick, TICK);
  document.addEventListener("visibilitychange", () => { ticked = performance.now(); });
  document.addEventListener("submit", (event) => {
    tick();
    const found = looked();
    if (!found || event.target !== found.form) return;
    found.form.elements.look.value = found.look.note;
    found.form.elements.visible.value = String(Math.round(found.look.visible));
  });

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-say]")) return;
    event.preventDefault();
    event.target.closest(".menu").open = false;
    open(find("#talk details.control"));
  });
})();
