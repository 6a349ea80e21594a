/* What every page of the console has. */

import "./drafts.js";
import "./notify.js";
import "./search.js";
import "./shortcuts.js";
import "./zone.js";

document.querySelector("#content [autofocus]")?.focus(); // The browser does so only where nothing else has happened yet.
