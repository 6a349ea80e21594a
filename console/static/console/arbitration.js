/* The inbox and the page of a question: keys that choose, answers that several questions share, and what must not get lost. */

const KEYS = "openintent-keys";
const root = document.getElementById("oi-panels");

const form = () => document.getElementById("oi-decide");
const options = () => [...(form()?.querySelectorAll("input[name=decision][type=radio]") ?? [])];
const isTyping = (element) => element?.matches?.("textarea, select, input:not([type=radio], [type=checkbox])") || element?.isContentEditable;
const usesKeys = () => localStorage.getItem(KEYS) !== "off";

/* --- one question ------------------------------------------------------------------------------------------------- */

function showChoice() {
  const send = document.getElementById("oi-send");
  if (!send) return;
  const chosen = options().find((each) => each.checked);
  send.textContent = chosen ? `Decide: ${chosen.value}` : "Submit decision";
  const box = document.getElementById("oi-keys");
  box.checked = usesKeys();
  form().classList.toggle("oi-has-keys", usesKeys());
  if (navigator.platform.startsWith("Mac")) form().querySelector("[data-shortcut=send]").textContent = "⌘ ↵";
}

function onKey(event) {
  if (!form() || event.defaultPrevented || event.isComposing) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form().requestSubmit();
  } else if (event.key === "Escape" && isTyping(document.activeElement) && form().contains(document.activeElement)) {
    document.activeElement.blur();
  } else if (!event.ctrlKey && !event.metaKey && !event.altKey && usesKeys() && !isTyping(event.target)) {
    choose(event);
  }
}

function choose(event) {
  const option = /^[1-9]$/.test(event.key) && options()[Number(event.key) - 1];
  const field = option || (event.key.toLowerCase() === "r" && document.getElementById("oi-rationale"));
  if (!field) return;
  event.preventDefault();
  if (option) option.checked = true;
  field.focus();
  showChoice();
}

function keepWhatWasWritten(gone, fresh) {
  const old = gone.querySelector("#oi-decide");
  if (!old || fresh.querySelector("#oi-decide")) return;
  if (old.contains(document.activeElement)) queueMicrotask(() => document.getElementById("oi-answer")?.focus());
  const chosen = old.querySelector("[name=decision]:checked")?.value ?? old.querySelector("textarea[name=decision]")?.value ?? "";
  const why = old.querySelector("[name=rationale]").value;
  if (!chosen && !why) return;
  const note = document.createElement("div");
  note.className = "oi-note oi-note-warn";
  note.setAttribute("role", "alert");
  const say = (name, text) => {
    const line = note.appendChild(document.createElement(name));
    line.textContent = text;
    return line;
  };
  say("h2", "This question closed while you were writing").className = "oi-note-title";
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
  fresh.prepend(note);
}

/* --- the inbox ---------------------------------------------------------------------------------------------------- */

const picks = () => [...root.querySelectorAll("input[name^='answer-']:checked")];
const selected = () => [...root.querySelectorAll("[name=_selected_action]:checked")];
const many = (number, one, more) => `${number} ${number === 1 ? one : more}`;

function count() {
  const said = document.getElementById("oi-picked");
  if (!said) return;
  const parts = [];
  if (picks().length) parts.push(many(picks().length, "answer chosen", "answers chosen"));
  if (selected().length) parts.push(`${selected().length} selected`);
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

function onChange(event) {
  if (event.target.id === "oi-keys") localStorage.setItem(KEYS, event.target.checked ? "on" : "off");
  if (event.target.id === "oi-shared" && event.target.value) answerTheSelected(event.target.value);
  showChoice();
  count();
}

let wasChecked = null; // The choice that is there when the pointer goes down: a second click on it takes it back.
function onClick(event) {
  const chip = event.target.closest?.(".oi-chip input");
  if (!chip) return;
  if (wasChecked === chip) chip.checked = false;
  wasChecked = chip.checked ? chip : null;
  count();
}

function onSubmit(event) {
  if (event.target.dataset.sent) return void event.preventDefault();
  if (event.target.id !== "oi-decide") return;
  event.target.dataset.sent = "yes";
  document.getElementById("oi-send").textContent = "Submitting…";
}

if (root) {
  root.addEventListener("oi-part", (event) => {
    if (event.target.dataset.part === "decide") keepWhatWasWritten(event.target, event.detail);
    if (event.target.dataset.part === "rows") carryOver(event.target, event.detail);
    queueMicrotask(showChoice);
  });
  root.addEventListener("change", onChange);
  root.addEventListener("click", onClick);
  root.addEventListener("submit", onSubmit);
  addEventListener("keydown", onKey);
  addEventListener("pageshow", () => form()?.removeAttribute("data-sent"));
  const late = document.getElementById("oi-late");
  if (late) {
    history.replaceState(null, "", late.dataset.page); // To read the page again is not to send the answer again.
    late.focus();
  }
  showChoice();
  count();
}
