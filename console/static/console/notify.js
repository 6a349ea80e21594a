/* Notifications of the browser about new questions that block work, for people who have turned them on (My notices).

   One tab of the browser follows the stream for all of them, also while nobody looks at it. */

import { follow } from "./stream.js";

const session = document.querySelector("meta[name=oi-session]");
const STORED = `openintent-notify ${session.dataset.user}`;
const LONGEST = 200; // Characters of a question that are shown.
const isOn = () => "Notification" in window && Notification.permission === "granted" && localStorage.getItem(STORED) === "on";
const toggle = document.querySelector("[data-notify]");

if (isOn()) begin();
if (toggle) offer();

function begin() {
  navigator.locks.request(STORED, () => new Promise((done) => {
    follow(session.dataset.follow, { onEvent: tell, onState: (state) => state === "ended" && done(), evenHidden: true });
  }));
}

function tell({ event_type: type, payload }) {
  if (type !== "arbitration_requested" || !payload.blocking || document.hasFocus() || !isOn()) return;
  const body = payload.reason.replace(/[\p{Cc}\p{Cf}]+/gu, " ").slice(0, LONGEST); // Those could turn the text around.
  const notification = new Notification("A question blocks work", { body, tag: payload.arbitration_id });
  notification.onclick = () => {
    focus();
    location.href = session.dataset.question.replace("00000000-0000-0000-0000-000000000000", payload.arbitration_id);
    notification.close();
  };
}

function offer() {
  const status = document.getElementById(toggle.getAttribute("aria-describedby"));
  const show = (said = "") => {
    toggle.textContent = isOn() ? "Turn off notifications" : "Turn on notifications";
    status.textContent = said || (isOn() ? "On in this browser, while a page of the console is open in it." : "Off in this browser.");
  };
  if (!window.isSecureContext || !("Notification" in window)) {
    toggle.disabled = true;
    return show("This browser shows notifications only of pages over HTTPS.");
  }
  toggle.addEventListener("click", async () => {
    const wasOn = isOn();
    localStorage.setItem(STORED, wasOn ? "off" : "on");
    if (!wasOn && (await Notification.requestPermission()) !== "granted") return show("The browser has refused. Allow notifications of this site in its settings.");
    if (!wasOn) begin();
    show();
  });
  show();
}
