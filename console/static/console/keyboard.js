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
  });
}

document.addEventListener("DOMContentLoaded", () => {
  for (const element of document.querySelectorAll("span, div, a:not([href])")) {
    if (element.hasAttribute("x-on:click") && element.textContent.trim()) makeButton(element);
  }
});
