/* What every page of the console has. */

import "./drafts.js";
import "./focus.js";
import "./notify.js";
import "./search.js";
import "./shortcuts.js";
import "./zone.js";

for (const tab of document.querySelectorAll(".oi-tabs [aria-current]")) {
  const tabs = tab.parentElement; // On a phone not all tabs are in view.
  tabs.scrollLeft = Math.ceil(tab.getBoundingClientRect().right - tabs.getBoundingClientRect().right);
}
