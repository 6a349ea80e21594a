/* Pages made of panels, kept true: each event has the server write the panels anew.

   `data-only` names the types of events that matter, `data-every` the seconds after which they are written anew in any case,
   `data-pace` the seconds between two at least (usually one). */

import { follow, keepTimesTrue } from "./stream.js";

const SAID = {
  opening: "Connecting…",
  live: "Live",
  lost: "Connection lost. Reconnecting…",
  ended: "You are signed out.",
};

const panels = document.getElementById("oi-panels");
const connection = document.getElementById("oi-connection");
if (panels) begin();

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
    const newest = newestRow();
    const restore = remembered();
    if (!putParts(html)) panels.innerHTML = html;
    setClock();
    for (const each of panels.querySelectorAll("[data-row]")) {
      if (newest !== null && Number(each.dataset.row) > newest) each.classList.add("oi-new");
    }
    restore();
  }

  /* Panels that consist of parts: only those are replaced whose `data-key` is another one, so that what somebody is
     writing in the others stays. A part that goes tells of it by an event, with the one that comes in its place. */
  function putParts(html) {
    const parts = new Map([...panels.querySelectorAll("[data-part]")].map((each) => [each.dataset.part, each]));
    if (!parts.size) return false;
    const fresh = new DOMParser().parseFromString(html, "text/html");
    for (const each of fresh.querySelectorAll("[data-part]")) {
      const old = parts.get(each.dataset.part);
      if (!old || (each.dataset.key && old.dataset.key === each.dataset.key)) continue;
      old.dispatchEvent(new CustomEvent("oi-part", { bubbles: true, detail: each }));
      old.replaceWith(each);
    }
    panels.querySelector("[data-now]").dataset.now = fresh.querySelector("[data-now]").dataset.now;
    return true;
  }

  /* What the reader has done to the panels: where they are, what they have opened, chosen and written. */
  function remembered() {
    const active = panels.contains(document.activeElement) ? document.activeElement : null;
    const focused = active && (active.id ? `#${CSS.escape(active.id)}` : `a[href="${CSS.escape(active.getAttribute("href") ?? "")}"]`);
    const toggled = [...panels.querySelectorAll("details[id]")].map((each) => [each.id, each.open]);
    const chosen = [...panels.querySelectorAll("input[type=checkbox][id]:checked")].map((each) => each.id);
    const scrolled = [...panels.querySelectorAll("[data-scrolls][id]")].map((each) => [each.id, each.scrollLeft]);
    return () => {
      for (const [id, open] of toggled) if (byId(id)) byId(id).open = open;
      for (const id of chosen) if (byId(id)) byId(id).checked = true;
      for (const [id, left] of scrolled) if (byId(id)) byId(id).scrollLeft = left;
      if (focused) panels.querySelector(focused)?.focus({ preventScroll: true });
    };
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
      link.href = `${connection.dataset.signIn}?next=${encodeURIComponent(location.pathname)}`;
      link.textContent = "Sign in again";
      connection.append(link);
    }
  }

  panels.addEventListener("pointerdown", () => {
    released = new Promise((done) => {
      for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(done), { once: true });
    });
  });
  const only = new Set((panels.dataset.only || "").split(" ").filter(Boolean));
  const every = Number(panels.dataset.every || 0);
  if (every) setInterval(() => document.hidden || renew(), every * 1000);
  follow(connection.dataset.follow, { onEvent: (event) => (!only.size || only.has(event.event_type)) && renew(), onState: say });
}
