// The inbox: the request beside the list, rows that change where they stand, and ticking several.
(() => {
  "use strict";

  const { assent } = window;
  const list = document.getElementById("waiting");
  const pane = document.getElementById("pane");
  const paneShows = () => pane && pane.offsetParent !== null;

  // The pane.

  async function choose(id, scroll = true) {
    const row = assent.mark(id);
    if (scroll) row?.scrollIntoView({ block: "nearest" });
    const answer = await fetch(`/approvals/${encodeURIComponent(id)}?place=inbox`);
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("request");
    const old = pane.querySelector("#request");
    if (old?.dataset.approval === id) assent.put(old, fresh);
    else {
      assent.tellTimes(fresh);
      pane.replaceChildren(fresh);
      pane.scrollTop = 0;
    }
    assent.ready(pane);
  }

  assent.chosen = (row) => {
    if (!paneShows() || !row.closest("#waiting")) return false;
    choose(row.dataset.key);
    return true;
  };
  assent.own.request = () => {
    const shown = pane.querySelector("#request");
    return shown && choose(shown.dataset.approval, false);
  };

  document.addEventListener("click", (event) => {
    const row = event.target.closest?.("#waiting a[data-row]");
    if (row && paneShows() && !event.metaKey && !event.ctrlKey && !event.shiftKey && event.button === 0) {
      event.preventDefault();
      choose(row.parentElement.dataset.key);
    }
  });
  document.addEventListener("keydown", (event) => {
    const row = event.key === "Enter" && event.target.closest?.("#waiting a[data-row]");
    if (row && paneShows()) {
      event.preventDefault();
      event.stopPropagation();
      location.assign(row.href);
    }
  }, true);

  // Rows stay where they are. One that changed says so; how many new ones there are stands in a bar.

  const shown = () => [...list.querySelectorAll("li[data-key]")];

  async function news() {
    const asked = new URL(list.dataset.live, location.href);
    shown().forEach((row) => asked.searchParams.append("shown", row.dataset.key));
    const answer = await fetch(asked);
    if (!answer.ok || answer.redirected) {
      if (answer.redirected) location.reload();
      return;
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    assent.tellTimes(fresh);
    for (const now of fresh.querySelectorAll("#rows-now > li")) change(document.getElementById(now.id), now);
    for (const id of ["heading", "waiting-count"]) {
      const [old, next] = [document.getElementById(id), fresh.getElementById(id)];
      if (old && next && old.textContent.trim() !== next.textContent.trim()) old.replaceChildren(...next.childNodes);
    }
    const told = fresh.getElementById("new-ones");
    const bar = document.getElementById("new-ones");
    const count = Number(told?.dataset.count);
    if (count && !shown().length) location.reload();
    else {
      bar.querySelector("span").textContent = `${told.textContent}. Show`;
      bar.hidden = !count;
    }
  }

  function change(old, now) {
    if (!old || old.dataset.state === now.dataset.state) return;
    const over = "over" in now.dataset;
    const ticked = old.querySelector(".pick input")?.checked;
    const at = document.activeElement;
    const focused = old.contains(at);
    now.dataset.fresh = "changed";
    const word = now.querySelector(".news");
    word.textContent = over ? "decided just now" : "changed just now: look again";
    word.hidden = false;
    if ("chosen" in old.dataset) now.dataset.chosen = "";
    if (ticked && !over) now.querySelector(".pick input").checked = false;
    old.replaceWith(now);
    if (focused) now.querySelector("a")?.focus({ preventScroll: true });
    count();
  }

  assent.own.waiting = news;
  assent.own["waiting-count"] = () => {};
  assent.own.heading = () => {};

  // Ticking several.

  const form = document.getElementById("several");
  const boxes = () => [...document.querySelectorAll(".pick input")];

  function count() {
    const ticked = boxes().filter((box) => box.checked).length;
    const words = form?.querySelector("[data-chosen-count]");
    if (!words) return;
    words.textContent = ticked ? `${ticked} ticked` : "Tick requests to decide them together.";
    form.dataset.ticked = ticked || "";
    for (const all of document.querySelectorAll("[data-choose-all]")) {
      const own = [...all.closest("section").querySelectorAll(".pick input")];
      all.checked = own.length > 0 && own.every((box) => box.checked);
      all.indeterminate = !all.checked && own.some((box) => box.checked);
    }
  }

  document.querySelectorAll(".choose-all").forEach((each) => { each.hidden = false; });
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-choose-all]")) {
      event.target.closest("section").querySelectorAll(".pick input").forEach((box) => { box.checked = event.target.checked; });
    }
    if (event.target.closest?.(".pick, .choose-all")) count();
  });
  form?.addEventListener("submit", (event) => {
    if (boxes().some((box) => box.checked)) return;
    event.preventDefault();
    boxes()[0]?.focus();
  });
  assent.keys.x = () => {
    const box = document.querySelector("#waiting [data-chosen] .pick input");
    if (!box) return false;
    box.checked = !box.checked;
    count();
    return true;
  };
  window.addEventListener("pageshow", count);
})();
