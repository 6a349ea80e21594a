/* Keyboard shortcuts: the one list of them, the sheet that shows it, and who acts on a key.

   A module says what a key does by `onKey`. No key acts while somebody types, with a modifier held, below an open dialog,
   or where the reader has turned shortcuts off. */

const SHORTCUTS = {
  "On every page": [
    ["?", "Show this list"],
    ["/ or Ctrl K", "Search"],
    ["n", "Open the next pending question"],
  ],
  "In a list": [
    ["j and k", "Go to the next or the previous row"],
    ["Enter", "Open the row"],
    ["x", "Select the row, or deselect it"],
    ["b", "Go to what can be done with the selected rows"],
    ["u", "Show the rows that are new"],
  ],
  "Questions": [
    ["1 to 9", "Choose an option; in the inbox, of the row with the focus"],
    ["r", "Write a rationale"],
    ["Ctrl Enter", "Submit the decision; in the inbox, review the answers"],
    ["Esc", "Leave the field"],
  ],
};
const STORED = "openintent-keys";
const ROWS = "#oi-panels :is(.oi-rows, .oi-events) > :is(li, tr)";
const LINK = ".oi-row-title[href], .oi-row-title a[href], .oi-event-type[href]";

const actions = {};

/* Have the key do this: `act(event)`, which returns false where the page has nothing for the key. */
export function onKey(keys, act) {
  for (const key of keys) (actions[key] ??= []).push(act);
}

export const isTyping = (element) => element?.matches?.("textarea, select, input:not([type=radio], [type=checkbox])") || element?.isContentEditable;

export const usesKeys = () => localStorage.getItem(STORED) !== "off";

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!usesKeys() || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  for (const act of actions[event.key.length === 1 ? event.key.toLowerCase() : event.key] ?? []) {
    if (act(event) === false) continue;
    event.preventDefault();
    return;
  }
});

/* --- the sheet ---------------------------------------------------------------------------------------------------- */

function element(name, fields, ...children) {
  const made = Object.assign(document.createElement(name), fields);
  made.append(...children);
  return made;
}

function table([title, rows]) {
  const body = rows.map(([keys, does]) =>
    element("tr", {}, element("th", { scope: "row" }, ...keys.split(/( or | and | to )/).map((part, at) => (at % 2 ? part : element("kbd", { className: "oi-shortcut" }, part)))), element("td", {}, does)),
  );
  return element("table", { className: "oi-table" }, element("caption", {}, title), element("tbody", {}, ...body));
}

function openSheet() {
  const box = element("input", { type: "checkbox", id: "oi-keys", checked: usesKeys() });
  box.addEventListener("change", () => {
    localStorage.setItem(STORED, box.checked ? "on" : "off");
    showHints();
  });
  const close = element("button", { type: "button", className: "oi-button" }, "Close");
  const sheet = element(
    "dialog",
    { className: "oi-sheet" },
    element("h2", { className: "oi-title", id: "oi-sheet-title", tabIndex: -1, autofocus: true }, "Keyboard shortcuts"),
    ...Object.entries(SHORTCUTS).map(table),
    element("label", { className: "oi-tick" }, box, " Use shortcuts of a single key"),
    element("div", { className: "oi-buttons" }, close),
  );
  sheet.setAttribute("aria-labelledby", "oi-sheet-title");
  close.addEventListener("click", () => sheet.close());
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close()); // The backdrop.
  sheet.addEventListener("close", () => sheet.remove());
  document.body.append(sheet);
  sheet.showModal();
}

function showHints() {
  document.documentElement.classList.toggle("oi-has-keys", usesKeys());
}

document.addEventListener("click", (event) => event.target.closest?.("[data-opens=shortcuts]") && openSheet());
showHints();

/* --- keys of every page ------------------------------------------------------------------------------------------- */

function go(step) {
  const links = [...document.querySelectorAll(ROWS)].map((row) => row.querySelector(LINK)).filter((link) => link?.checkVisibility());
  if (!links.length) return false;
  const row = document.activeElement.closest(ROWS); // Rows may have rows within.
  const here = row ? links.findIndex((link) => link.closest("li") === row) : -1;
  const to = here < 0 ? 0 : Math.min(Math.max(here + step, 0), links.length - 1);
  links[to].focus();
  links[to].closest("li").scrollIntoView({ block: "nearest" });
}

onKey("?", openSheet);
onKey("n", () => document.getElementById("oi-next").click());
onKey("j", () => go(1));
onKey("k", () => go(-1));
onKey("b", () => {
  const place = document.querySelector(".oi-bar :is(select, button)");
  place?.focus();
  return Boolean(place);
});
onKey("x", () => {
  const box = document.activeElement.closest(ROWS)?.querySelector("input[type=checkbox]");
  if (!box) return false;
  box.click();
});
