/* What the theme makes of spans, and of links without an address, becomes buttons: for the keyboard, and for who hears the page. */

const NAMES = { dock_to_right: "Menu", unfold_more: "Account", close: "Close" }; // By the picture that stands for a word.

function words(element) {
  const copy = element.cloneNode(true);
  copy.querySelectorAll(".material-symbols-outlined").forEach((each) => each.remove());
  return element.matches(".material-symbols-outlined") ? "" : copy.textContent.replace(/\s+/g, " ").trim();
}

function makeButton(element) {
  const pictures = [...element.querySelectorAll(".material-symbols-outlined"), element].map((each) => each.textContent.trim());
  const name = pictures.map((picture) => NAMES[picture]).find(Boolean);
  if (name) element.setAttribute("aria-label", [name, words(element)].filter(Boolean).join(": "));
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
