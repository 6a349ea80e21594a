/* Follows the project's event stream with the session of the person, and keeps times current.

   fetch and not EventSource: an event's type is its name there, and no one can listen to unknown names;
   nor does it say why it failed. The stream rests while nobody looks, unless `evenHidden` is set: a browser opens six connections
   to a server at most. */

const SILENCE = 35000; // Milliseconds; the server breaks its silence every 15 s.
const LONGEST_PAUSE = 15000;

export function follow(path, { onEvent, onState, evenHidden = false }) {
  const rests = () => document.hidden && !evenHidden;
  let position = null;
  let pause = 500;
  let connection = null;
  let timer = null;
  let over = false;

  async function open() {
    clearTimeout(timer);
    if (over || connection || rests()) return;
    const mine = (connection = new AbortController());
    try {
      await read(mine);
    } catch {
      // Said below, whatever it was: the network, a silence, the server's end.
    }
    if (connection === mine) connection = null;
    if (over || rests()) return;
    onState("lost");
    timer = setTimeout(open, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }

  async function read(mine) {
    const headers = position === null ? {} : { "Last-Event-ID": position };
    const response = await fetch(path, { headers, signal: mine.signal, cache: "no-store" });
    if (response.status === 401 || response.status === 403) return end();
    if (!response.ok) return;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    let watchdog = 0;
    try {
      for (;;) {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => mine.abort(), SILENCE);
        const { value, done } = await reader.read();
        if (done) return;
        const frames = (text + value).split("\n\n");
        text = frames.pop();
        frames.forEach(take);
      }
    } finally {
      clearTimeout(watchdog);
    }
  }

  function take(frame) {
    const fields = {};
    for (const line of frame.split("\n")) {
      const colon = line.indexOf(": ");
      if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 2);
    }
    if (fields.id) position = fields.id;
    if (fields.event === "bye") {
      if (JSON.parse(fields.data).reason === "signed_out") end();
    } else if (fields.event === "connected") {
      pause = 500;
      onState("live");
    } else if (fields.event) {
      onEvent(JSON.parse(fields.data));
    }
  }

  function end() {
    over = true;
    onState("ended");
  }

  document.addEventListener("visibilitychange", () => {
    if (!rests()) return void open();
    clearTimeout(timer);
    connection?.abort();
    connection = null;
  });
  addEventListener("offline", () => connection?.abort());
  addEventListener("online", open);
  open();
}

export function short(milliseconds, isExact = true) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600 && !isExact) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, "0")}s`;
  if (seconds < 86400 && !isExact) return `${Math.floor(seconds / 3600)}h`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}m`;
  return `${Math.floor(seconds / 86400)}d`;
}

export function keepTimesTrue(root) {
  /* By the server's clock, which `data-now` tells: the browser's may be wrong. */
  let ahead = 0;
  const look = () => {
    const now = Date.now() - ahead;
    for (const each of root.querySelectorAll("time[data-until]")) each.textContent = short(Date.parse(each.dateTime) - now);
    for (const each of root.querySelectorAll("time[data-since]")) each.textContent = `${short(now - Date.parse(each.dateTime), false)} ago`;
  };
  const set = () => {
    ahead = Date.now() - Date.parse(root.querySelector("[data-now]").dataset.now);
  };
  set();
  setInterval(look, 1000);
  return set;
}
