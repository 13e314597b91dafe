// Assent's pages work without this file. It keeps times current, refreshes parts when something happened, and
// lets the keyboard move through lists. Decisions themselves are plain forms.
(() => {
  "use strict";

  const main = document.getElementById("main");
  // What a page's own script adds: how parts are fetched again by id, what choosing a row does, and keys.
  const assent = (window.assent = { own: {}, chosen: null });
  document.documentElement.classList.add("scripted");
  document.querySelectorAll("[data-unscripted]").forEach((each) => each.remove());

  // Times: relative in sight, exact and in the reader's zone on hover.

  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

  function lasting(seconds) {
    const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
    const place = units.findIndex(([, size]) => seconds >= size);
    if (place < 0) return { words: "0 s", long: "0 s" };
    const [unit, size] = units[place];
    const whole = Math.floor(seconds / size);
    const finer = units[place + 1];
    const rest = finer ? Math.floor((seconds % size) / finer[1]) : 0;
    return { words: `${whole} ${unit}`, long: rest && whole < 10 ? `${whole} ${unit} ${rest} ${finer[0]}` : `${whole} ${unit}` };
  }

  function tellTime(element) {
    const moment = new Date(element.dateTime);
    const seconds = Math.round((Date.now() - moment) / 1000);
    const away = lasting(Math.abs(seconds));
    let words;
    if ("due" in element.dataset) {
      const left = -seconds < 120 ? away : lasting(Math.floor(-seconds / 60) * 60);
      words = seconds >= 0 ? "expired" : `${left.long} left`;
      const urgency = seconds > -600 ? "now" : seconds > -3600 ? "soon" : "";
      if (element.parentElement.dataset.urgency !== urgency) element.parentElement.dataset.urgency = urgency;
    } else if (Math.abs(seconds) < 10) words = "now";
    else if (Math.abs(seconds) >= 7 * 86400) words = day.format(moment);
    else words = seconds > 0 ? `${away.words} ago` : `in ${away.words}`;
    if (element.textContent !== words) element.textContent = words;
    if (!element.dataset.told) {
      element.dataset.told = "yes";
      element.title = exact.format(moment);
    }
  }

  const tellTimes = (root) => root.querySelectorAll("time[data-relative], time[data-due]").forEach(tellTime);
  tellTimes(document);
  setInterval(() => tellTimes(document), 15000);

  // Parts that refresh: every element with data-refresh names the topics it depends on.

  const waiting = new Set();
  let timer = 0;
  let refreshed = 0;
  let after = main?.dataset.after;
  let source = null;

  function concerned(element, topics) {
    return topics.has("*") || element.dataset.refresh.split(" ").some((wanted) => topics.has(wanted));
  }

  function busy(element) {
    const at = document.activeElement;
    return element.contains(at) && (at.matches("textarea, input, select") || at.closest("details.control[open]"));
  }

  async function refresh() {
    timer = 0;
    refreshed = Date.now();
    const targets = [...waiting].filter((id) => {
      const element = document.getElementById(id);
      return element && !busy(element);
    });
    waiting.clear();
    const plain = targets.filter((id) => !assent.own[id]);
    for (const id of targets) if (assent.own[id]) await assent.own[id]();
    if (plain.length) await swap(location.href, plain);
  }

  async function swap(address, ids) {
    let answer;
    try {
      answer = await fetch(address, { headers: { "X-Assent-Part": "refresh" } });
    } catch {
      return;
    }
    if (!answer.ok) return;
    if (answer.redirected) {
      location.reload();
      return;
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    ids.forEach((id) => put(document.getElementById(id), fresh.getElementById(id)));
    document.title = fresh.title || document.title;
  }

  // Put a fresh part in place of an old one: what is open stays open, what is focused stays focused, and what the
  // reader looks at stays where it is on the screen.
  function put(old, fresh) {
    if (!old) return;
    if (!fresh) {
      old.remove();
      return;
    }
    tellTimes(fresh);
    for (const open of old.querySelectorAll("details[id]")) {
      const twin = fresh.querySelector(`#${CSS.escape(open.id)}`);
      if (twin) twin.open = open.open;
    }
    const known = new Map([...old.querySelectorAll("[data-key]")].map((each) => [each.dataset.key, each.dataset.state]));
    for (const row of fresh.querySelectorAll("[data-key]")) {
      if (!known.has(row.dataset.key)) row.dataset.fresh = "new";
      else if (row.dataset.state && known.get(row.dataset.key) !== row.dataset.state) row.dataset.fresh = "changed";
    }
    const chosen = old.querySelector("[data-chosen]")?.dataset.key;
    const focused = old.contains(document.activeElement) ? path(document.activeElement, old) : null;
    const anchor = [...old.querySelectorAll("[data-key]")].find((each) => each.getBoundingClientRect().bottom > 60);
    const height = anchor?.getBoundingClientRect().top;
    const scrolled = old.querySelector(".value, .raw") ? scrolls(old) : null;
    const top = old.scrollTop;
    old.replaceWith(fresh);
    fresh.scrollTop = top;
    if (chosen) mark(chosen);
    if (scrolled) scrolls(fresh, scrolled);
    const stayed = anchor && fresh.querySelector(`[data-key="${CSS.escape(anchor.dataset.key)}"]`);
    if (stayed) (scroller(fresh) || window).scrollBy(0, stayed.getBoundingClientRect().top - height);
    if (focused) find(focused, fresh)?.focus({ preventScroll: true });
  }

  function scroller(element) {
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      if (at.scrollHeight > at.clientHeight && /auto|scroll/.test(getComputedStyle(at).overflowY)) return at;
    }
    return null;
  }

  function path(element, root) {
    const holder = element.closest("[id]");
    if (!holder || !root.contains(holder)) return null;
    const all = [...holder.querySelectorAll("a, button, summary, input, textarea, select, [tabindex]")];
    return { id: holder.id, at: element === holder ? -1 : all.indexOf(element) };
  }

  function find({ id, at }, root) {
    const holder = root.id === id ? root : root.querySelector(`#${CSS.escape(id)}`);
    if (!holder || at < 0) return holder;
    return holder.querySelectorAll("a, button, summary, input, textarea, select, [tabindex]")[at];
  }

  function scrolls(root, known) {
    const boxes = [...root.querySelectorAll(".value, .raw, .text")];
    if (known) boxes.forEach((box, at) => { box.scrollTop = known[at] || 0; });
    return boxes.map((box) => box.scrollTop);
  }

  function listen() {
    if (source || document.hidden || !after) return;
    source = new EventSource(`/live?after=${encodeURIComponent(after)}`);
    source.onopen = () => lively("on");
    source.onerror = () => lively("off");
    source.onmessage = (message) => {
      const { last, topics } = JSON.parse(message.data);
      after = last;
      const told = new Set(topics);
      for (const element of document.querySelectorAll("[data-refresh]")) {
        if (concerned(element, told)) waiting.add(element.id);
      }
      if (waiting.size && !timer) timer = setTimeout(refresh, Math.max(200, 1500 - (Date.now() - refreshed)));
    };
  }

  function lively(state) {
    document.querySelectorAll(".live").forEach((each) => {
      each.dataset.state = state;
      each.textContent = state === "on" ? "live" : "not connected, trying again";
    });
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source?.close();
      source = null;
    } else listen();
  });
  window.addEventListener("pagehide", () => { source?.close(); source = null; });
  window.addEventListener("pageshow", listen);
  listen();

  function mark(key) {
    document.querySelectorAll("[data-chosen]").forEach((each) => delete each.dataset.chosen);
    const row = document.querySelector(`.rows [data-key="${CSS.escape(key)}"]`);
    if (row) row.dataset.chosen = "";
    return row;
  }

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    const close = event.target.closest?.("[data-close-details]");
    if (close) shut(close.closest("details"));
  });

  // The keyboard.

  const rows = () => [...document.querySelectorAll("[data-keys] > li")];

  function step(by) {
    const all = rows();
    if (!all.length) return;
    const chosen = all.findIndex((row) => "chosen" in row.dataset || row.contains(document.activeElement));
    const next = all[Math.min(all.length - 1, Math.max(0, chosen < 0 ? 0 : chosen + by))];
    if (!assent.chosen?.(next)) mark(next.dataset.key);
    next.querySelector("a")?.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  const keys = {
    j: () => step(1),
    k: () => step(-1),
    "?": () => {
      const help = document.getElementById("keys-help");
      if (!help) return false;
      if (help.open) help.close();
      else help.showModal();
      return true;
    },
    Enter: () => {
      const row = document.querySelector("[data-chosen] a");
      if (row && document.activeElement === document.body) location.assign(row.href);
      return false;
    },
  };

  document.addEventListener("keydown", (event) => {
    const inside = event.target.closest?.("input, textarea, select");
    if (event.key === "Escape") {
      const open = event.target.closest?.("details.control[open]") || document.querySelector(".menu[open]");
      if (open) shut(open);
      return;
    }
    if (inside || event.metaKey || event.ctrlKey || event.altKey) return;
    if (keys[event.key] && keys[event.key]() !== false) event.preventDefault();
  });

  function shut(details) {
    details.open = false;
    details.querySelector("summary").focus();
  }

  // Forms: sent once; rejecting opens where the reason goes.

  function ready(root) {
    root.querySelectorAll("[data-close-details]").forEach((each) => { each.hidden = false; });
    root.querySelectorAll("details.control").forEach((each) => {
      each.addEventListener("toggle", () => {
        if (!each.open) return;
        root.querySelectorAll("details.control[open]").forEach((other) => { if (other !== each) other.open = false; });
        each.querySelector("textarea, input:not([type=hidden]), select, button")?.focus();
      });
    });
  }
  ready(document);

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!("once" in form.dataset)) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));
  document.addEventListener("change", (event) => {
    if ("submit" in event.target.dataset) event.target.form.requestSubmit();
  });

  Object.assign(assent, { keys, mark, put, ready, tellTimes });

  // An address that points to an action of a run opens it.

  const pointed = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const story = pointed && pointed.closest(".timeline") && pointed.querySelector("details");
  if (story) story.open = true;
})();
