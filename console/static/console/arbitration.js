/* The inbox and the page of a question: keys that choose, answers that several questions share, and what must not get lost. */

import { findDraft } from "./drafts.js";
import { isTyping, onKey } from "./shortcuts.js";

const root = document.getElementById("oi-panels");

const form = () => document.getElementById("oi-decide");
const options = () => [...(form()?.querySelectorAll("input[name=decision][type=radio]") ?? [])];

/* --- one question ------------------------------------------------------------------------------------------------- */

function showChoice() {
  if (navigator.platform.startsWith("Mac")) for (const each of document.querySelectorAll("[data-shortcut=send]")) each.textContent = "⌘ ↵";
  const send = document.getElementById("oi-send");
  if (!send) return;
  const chosen = options().find((each) => each.checked);
  send.textContent = chosen ? `Decide: ${chosen.value}` : "Submit decision";
}

function onModifiedKey(event) {
  if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const review = document.getElementById("oi-review");
    if (!form() && !review) return;
    event.preventDefault();
    if (form()) form().requestSubmit();
    else review.form.requestSubmit(review);
  } else if (event.key === "Escape" && isTyping(document.activeElement)) {
    document.activeElement.blur();
  }
}

function choose(event) {
  const row = document.activeElement.closest(".oi-ask-row");
  const number = Number(event.key) - 1;
  if (row) return row.querySelectorAll(".oi-chip input")[number]?.click() ?? Boolean(row.querySelector(".oi-chip input"));
  const option = options()[number];
  if (!option) return false;
  option.checked = true;
  option.focus();
  option.dispatchEvent(new Event("change", { bubbles: true }));
}

function keepWhatWasWritten(gone, fresh) {
  const old = gone.querySelector("#oi-decide");
  if (!old || fresh.querySelector("#oi-decide")) return;
  if (old.contains(document.activeElement)) queueMicrotask(() => document.getElementById("oi-answer")?.focus());
  const chosen = old.querySelector("[name=decision]:checked")?.value ?? old.querySelector("textarea[name=decision]")?.value ?? "";
  const note = noteOf("This question closed while you were writing", chosen, old.querySelector("[name=rationale]").value);
  if (note) fresh.prepend(note);
}

/* What was typed before somebody else answered, and the person was away: signed out, or on another page. */
function showLostDraft() {
  const draft = !form() && !document.getElementById("oi-late") && findDraft(location.pathname.replace(/change\/$/, "decide/"));
  if (!draft) return;
  const option = Object.keys(draft.fields).find((name) => name.startsWith("decision=") && draft.fields[name]);
  const note = noteOf("This question closed before you submitted", draft.fields.decision ?? option?.slice("decision=".length), draft.fields.rationale);
  if (!note) return;
  const button = note.appendChild(document.createElement("button"));
  Object.assign(button, { type: "button", className: "oi-link", textContent: "Discard" });
  button.addEventListener("click", () => {
    draft.drop();
    note.remove();
    document.getElementById("oi-answer")?.focus();
  });
  root.querySelector(".oi-decide")?.prepend(note);
}

function noteOf(title, chosen, why) {
  if (!chosen && !why) return null;
  const note = document.createElement("div");
  note.className = "oi-note oi-note-warn";
  note.setAttribute("role", "alert");
  const say = (name, text) => {
    const line = note.appendChild(document.createElement(name));
    line.textContent = text;
    return line;
  };
  say("h2", title).className = "oi-note-title";
  say("p", "Your answer was not recorded.");
  if (chosen) say("p", `Your answer: ${chosen}`);
  if (why) {
    Object.assign(say("label", "Your rationale, in case you need it elsewhere"), { className: "oi-label", htmlFor: "oi-lost" });
    const kept = say("textarea", why);
    kept.id = "oi-lost";
    kept.className = "oi-input";
    kept.readOnly = true;
    kept.rows = 3;
  }
  return note;
}

/* --- the inbox ---------------------------------------------------------------------------------------------------- */

const picks = () => [...root.querySelectorAll("input[name^='answer-']:checked")];
const selected = () => [...root.querySelectorAll("[name=_selected_action]:checked")];
const across = () => document.querySelector("#oi-across[aria-pressed=true]");
const many = (number, one, more) => `${number} ${number === 1 ? one : more}`;

function count() {
  const said = document.getElementById("oi-picked");
  if (!said) return;
  const parts = [];
  if (picks().length) parts.push(many(picks().length, "answer chosen", "answers chosen"));
  if (selected().length) parts.push(`${across()?.dataset.count ?? selected().length} selected`);
  const all = document.getElementById("oi-all");
  const boxes = root.querySelectorAll("[name=_selected_action]");
  if (all) {
    all.checked = boxes.length > 0 && selected().length === boxes.length;
    all.indeterminate = selected().length > 0 && !all.checked;
  }
  said.textContent = parts.join(", ");
  said.closest(".oi-bar").classList.toggle("oi-bar-live", parts.length > 0);
}

function answerTheSelected(label) {
  for (const box of selected()) {
    const row = box.closest("li");
    const same = [...row.querySelectorAll("input[name^='answer-']")].find((each) => each.value === label);
    if (same) same.checked = true;
  }
  count();
}

/* The rows are written anew as a whole: what was picked goes along, and what has lost its question is told of. */
function carryOver(gone, fresh) {
  const lost = [];
  for (const pick of [...gone.querySelectorAll("input[name^='answer-']:checked, [name=_selected_action]:checked")]) {
    const same = fresh.querySelector(`#${CSS.escape(pick.id)}`);
    if (same) same.checked = true;
    else if (pick.type === "radio") lost.push(pick.closest("li").dataset.question);
  }
  const label = gone.querySelector("#oi-shared")?.value;
  const select = fresh.querySelector("#oi-shared");
  if (select && [...select.options].some((each) => each.value === label)) select.value = label;
  queueMicrotask(() => {
    count();
    const said = document.getElementById("oi-picked");
    if (lost.length && said) said.textContent = `No longer pending, your choice was not recorded: ${lost.join("; ")}`;
  });
}

/* ------------------------------------------------------------------------------------------------------------------ */

let lastPick = null; // From which a click with Shift selects.
function pick(box, isRange) {
  const boxes = [...root.querySelectorAll("[name=_selected_action]")];
  if (isRange && lastPick?.isConnected) {
    const [from, to] = [boxes.indexOf(lastPick), boxes.indexOf(box)].sort((one, other) => one - other);
    for (const each of boxes.slice(from, to + 1)) each.checked = box.checked;
  }
  lastPick = box;
  if (!box.checked) selectAcross(false);
}

function selectAcross(isAll) {
  const button = document.getElementById("oi-across");
  if (!button) return;
  button.setAttribute("aria-pressed", isAll);
  button.parentElement.querySelector("[name=select_across]").value = isAll ? 1 : 0;
}

function selectPage(isAll) {
  for (const box of root.querySelectorAll("[name=_selected_action]")) box.checked = isAll;
  if (!isAll) selectAcross(false);
}

function onChange(event) {
  if (event.target.id === "oi-all") selectPage(event.target.checked);
  if (event.target.id === "oi-shared" && event.target.value) answerTheSelected(event.target.value);
  showChoice();
  count();
}

let wasChecked = null; // The choice that is there when the pointer goes down: a second click on it takes it back.
function onClick(event) {
  if (event.target.name === "_selected_action") pick(event.target, event.shiftKey);
  if (event.target.id === "oi-across") {
    const isAll = event.target.getAttribute("aria-pressed") !== "true";
    selectPage(isAll);
    selectAcross(isAll);
    answerTheSelected(document.getElementById("oi-shared")?.value);
    count();
  }
  const chip = event.target.closest?.(".oi-chip input");
  if (!chip) return;
  if (wasChecked === chip) chip.checked = false;
  wasChecked = chip.checked ? chip : null;
  count();
}

if (root) {
  root.addEventListener("oi-part", (event) => {
    if (event.target.dataset.part === "decide") keepWhatWasWritten(event.target, event.detail);
    if (event.target.dataset.part === "rows") carryOver(event.target, event.detail);
    queueMicrotask(showChoice);
  });
  root.addEventListener("change", onChange);
  root.addEventListener("click", onClick);
  addEventListener("keydown", onModifiedKey);
  onKey("123456789", choose);
  onKey("r", () => document.getElementById("oi-rationale")?.focus() ?? Boolean(form()));
  addEventListener("pageshow", () => {
    showChoice();
    count();
  });
  const late = document.getElementById("oi-late");
  if (late) {
    history.replaceState(null, "", late.dataset.page); // To read the page again is not to send the answer again.
    late.focus();
  }
  if (document.referrer === location.href) root.querySelector(".oi-next a")?.focus({ preventScroll: true }); // After a decision.
  showLostDraft();
  showChoice();
  count();
}
