/* What every page of the console has. */

import "./drafts.js";
import "./focus.js";
import "./notify.js";
import "./search.js";
import "./shortcuts.js";
import "./zone.js";

/** Scroll to the chosen tabs: on a phone not all are in view. */
function showChosenTabs() {
  for (const tab of document.querySelectorAll(".oi-tabs [aria-current]")) {
    const tabs = tab.parentElement;
    tabs.scrollLeft += Math.ceil(tab.getBoundingClientRect().right - tabs.getBoundingClientRect().right);
  }
}

showChosenTabs();
document.fonts.ready.then(showChosenTabs); // Until then the texts have the width of another font.
