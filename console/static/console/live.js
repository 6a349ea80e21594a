/* Pages made of panels, kept true: each event has the server write the panels anew.

   No row moves under a pointer, a focus or a choice, and no form goes while it is sent: while a list is in use, what is new
   waits, and a button above tells of it. Parts with `data-live` are shown at once all the same.

   `data-only` names the types of events that matter, `data-every` the seconds after which they are written anew in any case,
   `data-pace` the seconds between two at least (usually one). */

import { signInAddress } from "./drafts.js";
import { onKey } from "./shortcuts.js";
import { follow, keepTimesTrue } from "./stream.js";

const SAID = {
  opening: "Connecting…",
  live: "Live",
  lost: "Connection lost. Reconnecting…",
  ended: "You are signed out.",
};

const LISTS = ":is(.oi-rows, .oi-events, .oi-table, .oi-versions, .oi-timeline)";
const IN_USE = [...(matchMedia("(hover: hover)").matches ? [`#oi-panels ${LISTS}:hover`, "#oi-news:hover"] : []), `#oi-panels ${LISTS}:focus-within`, "#oi-news:focus", "#oi-panels time:focus", `#oi-panels ${LISTS} input:checked`, "#oi-panels form[data-sent]"].join();
const LOOK = 400; // Milliseconds between two looks whether the lists are still in use.

const panels = document.getElementById("oi-panels");
const connection = document.getElementById("oi-connection");
const news = document.getElementById("oi-news");
const title = document.title;
if (panels) begin();

/* What the server has written there, but for times, which run by themselves, and for what is shown at once. */
function textOf(element) {
  const copy = element.cloneNode(true);
  for (const each of copy.querySelectorAll("time, [data-live], [aria-live], .oi-draft, kbd")) each.remove();
  return copy.textContent.replace(/\s+/g, " ").trim();
}

/* The rows of all lists, each with what it is about. */
function rowsOf(root) {
  return [...root.querySelectorAll(`${LISTS} :is(li, tr)`)].map((row) => ({ row, about: row.querySelector("a")?.getAttribute("href") ?? textOf(row) }));
}

function begin() {
  const setClock = keepTimesTrue(panels);
  let released = Promise.resolve(); // A click on what is replaced in its middle would go nowhere.
  let asked = false;
  let busy = false;
  const pace = Number(panels.dataset.pace || 1) * 1000;

  async function renew() {
    asked = true;
    if (busy) return;
    busy = true;
    while (asked) {
      asked = false;
      const begun = Date.now();
      try {
        const response = await fetch(panels.dataset.panels, { cache: "no-store" });
        if (response.ok && !response.redirected) {
          const html = await response.text();
          await released;
          put(html);
        }
      } catch {
        // The stream says that the connection is lost, and asks again when it is back.
      }
      await new Promise((done) => setTimeout(done, Math.max(0, pace - (Date.now() - begun))));
    }
    busy = false;
  }

  function put(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    if (document.querySelector(IN_USE)) hold(fresh);
    else show(fresh);
    const pending = panels.querySelector("[data-pending]")?.dataset.pending;
    document.title = Number(pending) ? `(${pending}) ${title}` : title;
  }

  let waiting = null; // The panels that will be shown when the lists are no longer in use.
  function hold(fresh) {
    const restore = remembered();
    putParts(fresh, "[data-live]");
    restore();
    const [old, now] = [rowsOf(panels), rowsOf(fresh.body)];
    const [known, kept] = [old, now].map((rows) => new Set(rows.map((each) => each.about)));
    const added = now.filter((each) => !known.has(each.about)).length;
    const gone = old.filter((each) => !kept.has(each.about));
    for (const each of old) each.row.classList.toggle("oi-gone", gone.includes(each));
    const isSame = textOf(panels) === textOf(fresh.body);
    waiting = isSame ? null : fresh;
    news.hidden = isSame;
    news.textContent = added ? `${added} new` : "Show changes";
  }

  function release() {
    if (waiting) show(waiting);
  }

  function show(fresh) {
    const newest = newestRow();
    const restore = remembered();
    waiting = null;
    news.hidden = true;
    if (!putParts(fresh)) panels.replaceChildren(...fresh.body.childNodes);
    setClock();
    for (const each of panels.querySelectorAll("[data-row]")) {
      if (newest !== null && Number(each.dataset.row) > newest) each.classList.add("oi-new");
    }
    restore();
  }

  /* Panels that consist of parts: only those are replaced whose `data-key` is another one, so that what somebody is
     writing in the others stays. A part that goes tells of it by an event, with the one that comes in its place. */
  function putParts(fresh, those = "*") {
    const parts = new Map([...panels.querySelectorAll("[data-part]")].map((each) => [each.dataset.part, each]));
    if (!parts.size) return false;
    for (const each of fresh.querySelectorAll("[data-part]")) {
      const old = parts.get(each.dataset.part);
      if (!old?.matches(those) || (each.dataset.key && old.dataset.key === each.dataset.key)) continue;
      const copy = each.cloneNode(true); // Of a page that is on hold, live parts are shown more than once.
      old.dispatchEvent(new CustomEvent("oi-part", { bubbles: true, detail: copy }));
      old.replaceWith(copy);
    }
    panels.querySelector("[data-now]").dataset.now = fresh.querySelector("[data-now]").dataset.now;
    return true;
  }

  /* What the reader has done to the panels: where they are, what they have opened, chosen and selected, and what they were told of it. */
  function remembered() {
    const active = panels.contains(document.activeElement) ? document.activeElement : null;
    const focused = active && { id: active.id, of: twins(active), at: twins(active)().indexOf(active) };
    const toggled = [...panels.querySelectorAll("details[id]")].map((each) => [each.id, each.open]);
    const chosen = [...panels.querySelectorAll("input[type=checkbox][id]:checked")].map((each) => each.id);
    const scrolled = [...panels.querySelectorAll("[data-scrolls][id]")].map((each) => [each.id, each.scrollLeft]);
    const told = [...panels.querySelectorAll("[role=status][id]")].map((each) => [each.id, each.textContent]);
    const { anchorNode } = getSelection();
    const selected = panels.contains(anchorNode) && anchorNode.id; // All of an element, as by a button that copies it.
    return () => {
      for (const [id, open] of toggled) if (byId(id)) byId(id).open = open;
      for (const id of chosen) if (byId(id)) byId(id).checked = true;
      for (const [id, left] of scrolled) if (byId(id)) byId(id).scrollLeft = left;
      for (const [id, text] of told) if (byId(id)) byId(id).textContent = text;
      if (selected && byId(selected)) getSelection().selectAllChildren(byId(selected));
      if (focused) (byId(focused.id) ?? focused.of()[focused.at] ?? focused.of()[0])?.focus({ preventScroll: true });
    };
  }

  /* Return a function that finds all elements that lead to the same place, or say the same. */
  function twins({ tagName, href, textContent }) {
    return () => [...panels.querySelectorAll(tagName)].filter((each) => (href ? each.href === href : each.textContent === textContent));
  }

  function byId(id) {
    return document.getElementById(id);
  }

  function newestRow() {
    const first = panels.querySelector("[data-row]");
    return first && Number(first.dataset.row);
  }

  function say(state) {
    connection.dataset.state = state;
    connection.lastElementChild.textContent = SAID[state];
    if (state === "live") renew();
    if (state === "ended") {
      const link = document.createElement("a");
      link.href = signInAddress();
      link.textContent = "Sign in again";
      connection.append(link);
    }
  }

  panels.addEventListener("pointerdown", () => {
    released = new Promise((done) => {
      for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(done), { once: true });
    });
  });
  news.addEventListener("click", (event) => {
    release();
    if (!event.detail) panels.querySelector(`${LISTS} a[href]`)?.focus({ preventScroll: true }); // By the keyboard: the button is hidden now.
  });
  onKey("u", () => (waiting ? release() : false));
  setInterval(() => waiting && !document.querySelector(IN_USE) && release(), LOOK);
  const only = new Set((panels.dataset.only || "").split(" ").filter(Boolean));
  const every = Number(panels.dataset.every || 0);
  if (every) setInterval(() => document.hidden || renew(), every * 1000);
  follow(connection.dataset.follow, { onEvent: (event) => (!only.size || only.has(event.event_type)) && renew(), onState: say });
}
