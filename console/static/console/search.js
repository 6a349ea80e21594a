/* Search everywhere: Ctrl+K and "/" open it on each page. The server renders what it finds (console/search.py). */

import { onKey } from "./shortcuts.js";

const PAUSE = 120; // Milliseconds after the last key.

const palette = document.getElementById("oi-palette"); // Not where nobody is signed in.
if (palette) install(palette);

function install(box) {
  const text = box.querySelector("#oi-palette-text");
  const found = box.querySelector("#oi-palette-found");
  const status = box.querySelector("#oi-palette-status");
  let timer;
  let running;
  let latest;

  function open() {
    if (box.open) return;
    box.showModal();
    text.select();
    latest = search();
  }

  function say(message) {
    status.textContent = message;
  }

  async function search() {
    running?.abort();
    const mine = (running = new AbortController());
    const query = new URLSearchParams({ q: text.value });
    try {
      const answer = await fetch(`${box.dataset.url}?${query}`, { signal: mine.signal, redirect: "manual" });
      if (!answer.ok) return fail(answer.type === "opaqueredirect" ? "You are signed out. Reload the page to sign in again." : "The search failed. Try again.");
      const rendered = await answer.text();
      if (mine !== running) return;
      show(rendered);
    } catch (error) {
      if (error.name !== "AbortError") fail("No connection to the server. Try again.");
    }
  }

  function fail(message) {
    show("");
    say(message);
  }

  function show(rendered) {
    found.innerHTML = rendered; // The server escapes what agents wrote.
    const said = found.querySelector("#oi-palette-said");
    say(said?.textContent ?? "");
    said?.remove();
    found.scrollTop = 0;
    choose(options()[0]);
  }

  function options() {
    return [...found.querySelectorAll("[role=option]")];
  }

  function chosen() {
    return found.querySelector("[aria-selected=true]");
  }

  function choose(option) {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    text.setAttribute("aria-expanded", option ? "true" : "false");
    if (option) text.setAttribute("aria-activedescendant", option.id);
    else text.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }

  function move(steps) {
    const all = options();
    if (all.length) choose(all[(all.indexOf(chosen()) + steps + all.length) % all.length]);
  }

  /* Enter right after the last key means what was typed, not what was found before it. */
  async function follow(event) {
    if (timer) finish();
    await latest;
    const option = chosen();
    if (!option) return;
    if (event.ctrlKey || event.metaKey) window.open(option.href, "_blank", "noopener");
    else option.click();
  }

  function finish() {
    clearTimeout(timer);
    timer = undefined;
    latest = search();
  }

  text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(finish, PAUSE);
  });
  text.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const act = { ArrowDown: () => move(1), ArrowUp: () => move(-1), Enter: () => follow(event), Escape: () => box.close() }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  box.addEventListener("click", (event) => {
    if (event.target === box || event.target.closest("[data-search-close]")) box.close();
    else if (event.target.closest("[role=option]") && !event.ctrlKey && !event.metaKey) box.close(); // Another part of the same page.
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-search-open]")) open();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault(); // The browser's own search.
    open();
  });
  onKey("/", open);
}
