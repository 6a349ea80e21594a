/* What the theme makes of spans, and of links without an address, becomes buttons: for the keyboard, and for who hears the page. */

const PICTURES = ".material-symbols-outlined";
const NAMES = { dock_to_right: "Menu", close: "Close", light_mode: "Theme", dark_mode: "Theme", computer: "Theme" }; // Of pictures.

function makeButton(element) {
  const pictures = element.matches(PICTURES) ? [element] : [...element.querySelectorAll(PICTURES)];
  const isWordless = pictures.map((each) => each.textContent).join("").replace(/\s/g, "") === element.textContent.replace(/\s/g, "");
  if (isWordless) element.setAttribute("aria-label", NAMES[pictures[0].textContent.trim()] ?? "Open");
  else for (const each of pictures) each.setAttribute("aria-hidden", "true");
  element.setAttribute("role", "button");
  element.tabIndex = 0;
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    element.click();
    const menu = element.parentElement.querySelector(":scope > nav[x-show]");
    if (menu) enter(menu);
  });
}

/* A menu stands before its button in the page: it gets the focus once it is shown. */
function enter(menu, frames = 30) {
  if (getComputedStyle(menu).display !== "none") menu.querySelector("a[href], button, [role=button]").focus();
  else if (frames) requestAnimationFrame(() => enter(menu, frames - 1));
}

/* It would hide what has the focus after it has left the menu. */
function closeBehindFocus(menu) {
  const button = menu.parentElement.querySelector(":scope > [role=button]");
  const close = () => getComputedStyle(menu).display !== "none" && button.click();
  menu.addEventListener("focusout", ({ relatedTarget: next }) => {
    if (next && next !== button && !menu.contains(next) && !next.closest("dialog")) close();
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    close();
    button.focus();
  });
}

document.addEventListener("DOMContentLoaded", () => {
  for (const element of document.querySelectorAll("span, div, a:not([href])")) {
    if (element.hasAttribute("x-on:click") && element.textContent.trim()) makeButton(element);
  }
  for (const menu of document.querySelectorAll("nav[x-show]")) if (menu.parentElement.querySelector(":scope > [role=button]")) closeBehindFocus(menu);
});
