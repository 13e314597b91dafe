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

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-say]")) return;
    event.preventDefault();
    event.target.closest(".menu").open = false;
    open(find("#talk details.control"));
  });
})();
