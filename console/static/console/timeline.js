/* Dragging over the lanes of a timeline zooms to that range of time. */

const NEAR = 8; // Pixels: less is a click.
const panels = document.getElementById("oi-panels");

panels?.addEventListener("pointerdown", (event) => {
  const chart = event.target.closest(".oi-timeline");
  if (!chart || event.button || event.pointerType === "touch") return; // A finger scrolls.
  event.preventDefault(); // Links would be dragged, and text selected.
  const box = chart.querySelector(".oi-lane").getBoundingClientRect();
  const [from, until] = [chart.dataset.from, chart.dataset.to].map((each) => new Date(each).getTime());
  const at = (x) => Math.min(Math.max((x - box.left) / box.width, 0), 1);
  const began = event.clientX;
  const mark = document.createElement("div");
  mark.className = "oi-range-mark";

  function move({ clientX }) {
    const [left, right] = [at(began), at(clientX)].sort((one, other) => one - other);
    mark.style.left = `${box.left - chart.getBoundingClientRect().left + left * box.width}px`;
    mark.style.width = `${(right - left) * box.width}px`;
    if (!mark.isConnected && Math.abs(clientX - began) > NEAR) chart.append(mark);
  }

  function end({ type, clientX }) {
    for (const [name, act] of Object.entries(acts)) removeEventListener(name, act);
    const isDrag = mark.isConnected;
    mark.remove();
    if (type !== "pointerup" || !isDrag) return;
    addEventListener("click", (click) => click.preventDefault(), { capture: true, once: true });
    const query = new URLSearchParams(location.search);
    const [left, right] = [at(began), at(clientX)].sort((one, other) => one - other);
    query.set("from", new Date(from + left * (until - from)).toISOString());
    query.set("to", new Date(from + right * (until - from)).toISOString());
    location.search = query;
  }

  const acts = { pointermove: move, pointerup: end, pointercancel: end };
  for (const [name, act] of Object.entries(acts)) addEventListener(name, act);
});
