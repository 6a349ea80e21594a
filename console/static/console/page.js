/* What every page of the console has. */

import "./shortcuts.js";
