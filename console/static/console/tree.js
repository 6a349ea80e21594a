/* Loads a branch of a tree when it is opened, and keeps what was loaded when live.js writes the tree anew. */

const panels = document.getElementById("oi-panels");

if (panels) {
  panels.addEventListener("toggle", (event) => event.target.matches?.("[data-load]") && load(event.target), { capture: true }); // It does not bubble.
  panels.addEventListener("oi-part", (event) => keep(event.target, event.detail));
  panels.addEventListener("click", (event) => {
    const button = event.target.closest("[data-collapse]");
    if (button) for (const each of document.getElementById(button.dataset.collapse).querySelectorAll(".oi-branch")) each.open = false;
  });
}

async function load(branch) {
  if (!branch.open || branch.dataset.loaded) return;
  branch.dataset.loaded = "begun";
  try {
    const response = await fetch(branch.dataset.load, { cache: "no-store" });
    if (!response.ok || response.redirected) throw new Error(response.status);
    const rows = new DOMParser().parseFromString(await response.text(), "text/html").querySelector(".oi-subtree");
    keep(branch, rows);
    branch.querySelector(":scope > :not(summary)").replaceWith(rows);
    branch.dataset.loaded = "done";
  } catch {
    delete branch.dataset.loaded; // Its link leads there, too; closed and opened, it is tried again.
  }
}

/* Branches that were opened come along, with what is in them, and are read again. */
function keep(old, fresh) {
  for (const branch of old.querySelectorAll("[data-loaded=done]")) {
    const around = branch.parentElement.closest("[data-loaded]");
    if (!branch.open || (around !== old && old.contains(around))) continue;
    const place = fresh.querySelector(`#${CSS.escape(branch.id)}`);
    if (!place?.dataset.load) continue;
    place.querySelector(":scope > :not(summary)").replaceWith(branch.querySelector(":scope > :not(summary)"));
    place.open = true;
  }
}
