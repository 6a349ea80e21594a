/* The home page, kept true: each event has the server write the panels anew, once a second at most. */

import { follow, keepTimesTrue } from "./stream.js";

const PACE = 1000; // Milliseconds.
const SAID = {
  opening: "Connecting",
  live: "Live",
  lost: "Connection lost. Trying again",
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
      await new Promise((done) => setTimeout(done, Math.max(0, PACE - (Date.now() - begun))));
    }
    busy = false;
  }

  function put(html) {
    const newest = newestRow();
    const focused = panels.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    panels.innerHTML = html;
    setClock();
    for (const each of panels.querySelectorAll("[data-row]")) {
      if (newest !== null && Number(each.dataset.row) > newest) each.classList.add("oi-new");
    }
    if (focused) panels.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
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
      link.href = `/admin/login/?next=${encodeURIComponent(location.pathname)}`;
      link.textContent = "Sign in again";
      connection.append(link);
    }
  }

  panels.addEventListener("pointerdown", () => {
    released = new Promise((done) => {
      for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(done), { once: true });
    });
  });
  follow(connection.dataset.follow, { onEvent: renew, onState: say });
}
