/* Nothing typed is lost: the drafts of the forms that write, and submits that wait for the connection.

   A draft is what a person has changed in a form. It stays in this browser, under their name, until the server has recorded
   it, they discard it, or a day has passed: in sessionStorage for this tab, in localStorage for one that is opened later.
   Its id goes along with the form, and the server records each id once (console/drafts.py). */

const DAY = 86400000; // Milliseconds.
const PAUSE = 1000; // Between two tries to reach the server.
const session = document.querySelector("meta[name=oi-session]");
const PREFIX = `openintent-draft ${session.dataset.user} `;
const STORES = [sessionStorage, localStorage];

export function signInAddress(page = location.pathname + location.search) {
  return `${session.dataset.signIn}?next=${encodeURIComponent(page)}`;
}

/* --- drafts ------------------------------------------------------------------------------------------------------- */

const isTick = (field) => field.type === "radio" || field.type === "checkbox";
const nameOf = (field) => (isTick(field) ? `${field.name}=${field.value}` : field.name);
const valueOf = (field) => (isTick(field) ? field.checked : field.value);

/* The value that the server has given. */
function givenOf(field) {
  if (isTick(field)) return field.defaultChecked;
  if (field.matches("select")) return ([...field.options].find((each) => each.defaultSelected) ?? field.options[0])?.value;
  return field.defaultValue;
}

function fieldsOf(form) {
  return [...form.elements].filter((each) => each.name && !each.readOnly && each.matches("textarea, select, input:not([type=hidden], [type=submit], [type=button])"));
}

function formsOf(root) {
  return [...root.querySelectorAll("#content form")].filter((form) => form.getAttribute("method") === "post" && !form.querySelector("[type=password]"));
}

/* Where the form leads, and what it is about: two confirmations at one address are not the same. */
function keyOf(form) {
  const address = new URL(form.getAttribute("action") || location.href, location.href);
  const about = [...form.querySelectorAll("input[type=hidden]")].filter((each) => !["csrfmiddlewaretoken", "draft", "back", "select_across"].includes(each.name));
  let hash = 7;
  for (const each of about.map(({ name, value }) => `${name}=${value};`).join("")) hash = (hash * 31 + each.codePointAt(0)) % 0xffffffff;
  return `${PREFIX}${address.pathname}${address.search} ${hash}`;
}

function read(key) {
  for (const store of STORES) {
    const found = JSON.parse(store.getItem(key) ?? "null");
    if (found) return found;
  }
  return null;
}

function drop(key) {
  for (const store of STORES) store.removeItem(key);
}

function keys(store) {
  return [...Array(store.length).keys()].map((at) => store.key(at)).filter((key) => key.startsWith("openintent-draft "));
}

function dropOld() {
  const recorded = new Set(session.dataset.recorded.split(" "));
  for (const store of STORES) {
    for (const key of keys(store)) {
      const { id, at } = JSON.parse(store.getItem(key));
      if (recorded.has(id) || Date.now() - at > DAY) store.removeItem(key);
    }
  }
}

function save(form) {
  const changed = fieldsOf(form).filter((field) => valueOf(field) !== givenOf(field));
  const key = keyOf(form);
  if (!changed.length) return drop(key);
  form.dataset.draft ??= [...crypto.getRandomValues(new Uint8Array(12))].map((each) => each.toString(16).padStart(2, "0")).join("");
  const fields = changed.map((field) => [nameOf(field), givenOf(field), valueOf(field)]);
  for (const store of STORES) {
    try {
      store.setItem(key, JSON.stringify({ id: form.dataset.draft, at: Date.now(), fields }));
    } catch {
      // No room, or the browser forbids it: the text is in the form still.
    }
  }
}

/* Fill in the draft, where the server gives the same values as when it was written. */
function restore(form) {
  const draft = read(keyOf(form));
  if (!draft) return;
  const wanted = new Map(draft.fields.map(([name, given, value]) => [name, { given, value }]));
  const found = fieldsOf(form).filter((field) => wanted.get(nameOf(field))?.given === givenOf(field));
  if (!found.length) return;
  for (const field of found) {
    const { value } = wanted.get(nameOf(field));
    if (isTick(field)) field.checked = value;
    else field.value = value;
    const fold = field.closest("details");
    if (fold) fold.open = true;
  }
  form.dataset.draft = draft.id;
  say(form, `Your draft of ${new Date(draft.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })} is restored; it is not submitted yet.`, "Discard", () => {
    drop(keyOf(form));
    delete form.dataset.draft;
    for (const field of found) {
      if (isTick(field)) field.checked = field.defaultChecked;
      else field.value = givenOf(field);
    }
    form.dispatchEvent(new Event("change", { bubbles: true }));
    say(form, "");
    found[0].focus(); // The button is gone.
  });
  form.dispatchEvent(new Event("change", { bubbles: true }));
}

/* What was typed into the form that leads to the path, if it was not recorded; and how to forget it. */
export function findDraft(path) {
  const key = STORES.flatMap(keys).find((each) => each.startsWith(`${PREFIX}${path} `));
  return key && { fields: Object.fromEntries(read(key).fields.map(([name, , value]) => [name, value])), drop: () => drop(key) };
}

/* --- submits ------------------------------------------------------------------------------------------------------ */

function say(form, text, button = "", act = null) {
  let note = form.querySelector(".oi-draft");
  if (!note) {
    note = document.createElement("p");
    note.className = "oi-draft";
    note.setAttribute("role", "status");
    (form.querySelector(".oi-bar, .oi-decide-send") ?? form).append(note); // Beside the button, in view.
  }
  note.textContent = text;
  note.hidden = !text;
  if (!button) return note;
  const made = document.createElement("button");
  Object.assign(made, { type: "button", className: "oi-link", textContent: button });
  made.addEventListener("click", act);
  note.append(" ", made);
  return note;
}

/* Who is signed in: null if nobody is, undefined if the form is no longer to be sent. */
async function askServer(form) {
  while (form.dataset.sent) {
    try {
      const response = await fetch(session.content, { cache: "no-store" });
      if (response.status === 401) return null;
      if (response.ok) return await response.json();
    } catch {
      // No connection: said below.
    }
    if (form.querySelector(".oi-draft .oi-link") === null) {
      say(form, "No connection. Your entries are kept, and are submitted as soon as it is back.", "Don't submit", () => {
        release(form);
        form.querySelector("[type=submit]")?.focus(); // The button is gone.
      });
    }
    await new Promise((done) => setTimeout(done, PAUSE));
  }
}

function release(form) {
  delete form.dataset.sent;
  say(form, "");
}

async function send(form, submitter) {
  save(form);
  say(form, "Submitting…");
  const found = await askServer(form);
  if (found === undefined) return;
  if (!found || found.user !== session.dataset.user) {
    release(form);
    const link = document.createElement("a");
    link.href = signInAddress(form.querySelector("[name=back]")?.value);
    link.textContent = "Sign in again";
    say(form, found ? "Somebody else has signed in. Nothing was recorded; your draft is kept for you. " : "You are signed out. Nothing was recorded; your entries are kept. ").append(link);
    return;
  }
  form.querySelector("[name=csrfmiddlewaretoken]").value = found.csrf_token; // Another one since a sign-in in another tab.
  form.querySelector("[name=draft][data-own]")?.remove();
  if (form.dataset.draft) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "draft", value: form.dataset.draft });
    field.dataset.own = "";
    form.append(field);
  }
  form.dataset.sent = "now";
  form.requestSubmit(submitter);
}

function onSubmit(event) {
  const form = event.target;
  if (event.defaultPrevented || !form.closest("#content") || form.getAttribute("method") !== "post") return;
  if (form.dataset.sent === "now") return void (form.dataset.sent = "yes");
  event.preventDefault();
  if (form.dataset.sent) return; // A second click.
  form.dataset.sent = "asks";
  send(form, event.submitter);
}

dropOld();
for (const form of formsOf(document)) restore(form);
for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.closest?.("form");
    if (form && formsOf(document).includes(form)) save(form);
  });
}
document.addEventListener("submit", onSubmit);
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of formsOf(document)) release(form);
});
