/* Tells the server the reader's time zone, by a cookie of the console (console/reader_zone.py). The next page is written for it. */

const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
const [path] = location.pathname.match(/^.*?\/admin\//); // Also below a path of the site.
if (timeZone) document.cookie = `openintent-zone=${timeZone}; path=${path}; max-age=31536000; samesite=lax`;
