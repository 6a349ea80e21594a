/* Where the keyboard goes on when a page has been loaded: at the field that is wrong, at what the page says or is for (autofocus),
   at the first field of a form, at the control that has loaded the page anew, or in the part that the address names. Else at the
   start of the page, as browsers do. A browser heeds autofocus itself, but once, and not where the page is hidden until the theme's
   script has run. */

const STORED = "openintent-control";
const FIELD = ":is(input:not([type=hidden]), select, textarea)";
const PLACES = [`${FIELD}[aria-invalid=true]`, "[autofocus]:not(dialog *)", `form.oi-question ${FIELD}`];
const content = document.getElementById("content"); // The sign-in pages have none.
const nameOf = (control) => control.textContent.replace(/[\d,]+/g, "").trim(); // Tabs count.

function isInView(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return element.checkVisibility() && top >= 0 && bottom <= innerHeight;
}

function remember(control) {
  if (control) sessionStorage.setItem(STORED, JSON.stringify([location.pathname, nameOf(control)]));
}

/* The tab, the link of a toolbar or the button that has led from this page to itself, with other parameters. */
function findControl([path, name]) {
  if (path !== location.pathname || !content) return undefined;
  return [...content.querySelectorAll("nav a, form :is(a, button)")].find((each) => nameOf(each) === name && isInView(each));
}

function findPlace() {
  for (const each of PLACES) if (document.querySelector(each)) return document.querySelector(each);
}

function begin() {
  const used = JSON.parse(sessionStorage.getItem(STORED) ?? "[]");
  sessionStorage.removeItem(STORED);
  const place = findPlace();
  const go = () => {
    if (document.activeElement !== document.body) return;
    if (place) place.focus();
    else (findControl(used) ?? document.querySelector(":target :is(a[href], button)"))?.focus({ preventScroll: true });
  };
  go();
  if (location.hash) addEventListener("load", go); // The browser has gone to the part, and left the focus nowhere.
}

document.addEventListener("submit", (event) => event.target.method === "get" && remember(event.submitter));
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("#content :is(nav, form) a[href]");
  if (link?.pathname === location.pathname && link.search !== location.search) remember(link);
});
document.querySelector(".oi-skip[href='#content']")?.addEventListener("click", (event) => {
  event.preventDefault(); // In the address it would stay, and lead there after each act.
  content.tabIndex = -1;
  content.focus();
});
begin();
