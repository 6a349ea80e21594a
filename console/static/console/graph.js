/* Draws the graph of an intent from the table beside it: nodes as boxes with their status, children and dependencies as lines. */

const FACES = {
  draft: { mark: "○", shape: "round-rectangle", colour: "--oi-quiet" },
  pending: { mark: "◷", shape: "round-tag", colour: "--oi-quiet" },
  active: { mark: "▶", shape: "round-rectangle", colour: "--oi-accent", fill: "--oi-accent" },
  blocked: { mark: "■", shape: "octagon", colour: "--oi-warn", fill: "--oi-warn", width: 146 },
  completed: { mark: "✓", shape: "barrel", colour: "--oi-good", fill: "--oi-good-soft" },
  abandoned: { mark: "✕", shape: "cut-rectangle", colour: "--oi-quiet", fill: "--oi-plain-soft" },
};
const LONGEST = 48; // Characters of a title.
const READABLE = 0.6; // Of the natural size. A graph that fits only below that is shown around where one is.
const FAR = 0.4; // Below, a title cannot be read: a node has the mark of its status, as large as the node, and its colour.
const CELL = { width: 266, height: 82, gap: 60 }; // Of a node with the space around it; and between two bands.

/* The browser knows how the style sheet's colours look; the library knows only rgb(). */
const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

const panels = document.getElementById("oi-panels");
let drawn = null;
let busy = false;

if (panels) {
  new MutationObserver(draw).observe(panels, { childList: true, subtree: true });
  new MutationObserver(paint).observe(document.documentElement, { attributeFilter: ["class"] });
  draw();
}

async function draw() {
  const place = document.getElementById("oi-graph");
  if (!place || place === drawn?.place || busy) return;
  busy = true;
  try {
    await library(place);
    place.hidden = false;
    const kept = drawn && { zoom: drawn.cy.zoom(), pan: drawn.cy.pan(), ids: ids(drawn.cy) };
    drawn?.cy.destroy();
    drawn = { place, cy: build(place.querySelector(".oi-graph-canvas"), elements(place)) };
    if (kept && kept.ids === ids(drawn.cy)) drawn.cy.viewport(kept);
    else look(drawn.cy);
    listen(drawn);
    place.dataset.drawn = drawn.cy.nodes().length;
  } finally {
    busy = false;
  }
  if (document.getElementById("oi-graph") !== place) draw(); // It was replaced meanwhile.
}

async function library(place) {
  if (window.cytoscapeDagre) return;
  await load(place.dataset.cytoscape);
  await load(place.dataset.dagre);
}

function load(url) {
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    Object.assign(script, { src: url, onload: done, onerror: failed });
    document.head.append(script);
  });
}

function elements(place) {
  const rows = [...place.closest("section").querySelectorAll("tr[data-node]")];
  const known = new Set(rows.map((row) => row.dataset.node));
  const nodes = rows.map((row) => {
    const link = row.querySelector("a");
    const { mark } = FACES[row.dataset.status];
    const title = link.textContent.length > LONGEST ? `${link.textContent.slice(0, LONGEST - 1)}…` : link.textContent;
    const data = { id: row.dataset.node, status: row.dataset.status, url: link.href, mark, label: `${title}\n${mark} ${row.dataset.status}` };
    return { data: { ...data, here: "here" in row.dataset } };
  });
  const edges = rows.flatMap((row) => {
    const { node, parent, waits } = row.dataset;
    const child = known.has(parent) ? [{ data: { source: parent, target: node, kind: "child" } }] : [];
    return [...child, ...waits.split(" ").filter((each) => known.has(each)).map((each) => ({ data: { source: each, target: node, kind: "waits" } }))];
  });
  return { nodes, edges };
}

function build(container, { nodes, edges }) {
  const cy = window.cytoscape({
    container,
    elements: { nodes, edges },
    style: style(),
    minZoom: 0.02,
    maxZoom: 2.5,
    autoungrabify: true,
    boxSelectionEnabled: false,
    layout: { name: "dagre", rankDir: "LR", nodeSep: 14, rankSep: 70, edgeSep: 8, fit: false, animate: false },
  });
  fold(cy);
  cy.on("zoom", () => cy.elements().toggleClass("far", cy.zoom() < FAR));
  return cy;
}

/* Folds a graph that is a thread in one direction, so that a whole one is as large as can be: levels with many nodes
   become several columns, and many columns become bands, one below the other. */
function fold(cy) {
  const levels = Map.groupBy(cy.nodes().toArray().sort((one, other) => one.position("y") - other.position("y")), (node) => Math.round(node.position("x")));
  const ordered = [...levels.keys()].sort((one, other) => one - other).map((x) => levels.get(x));
  const tallest = Math.max(...ordered.map((level) => level.length));
  const zoomOf = (width, height) => Math.min(cy.width() / (width * CELL.width), cy.height() / height);
  let best = { zoom: zoomOf(ordered.length, tallest * CELL.height) * 1.5, tall: 0 }; // Folding costs order: it must be worth it.
  for (let tall = 1; tall <= tallest; tall++) {
    const columns = ordered.reduce((sum, level) => sum + Math.ceil(level.length / tall), 0);
    for (let wide = 1; wide <= columns; wide++) {
      const bands = Math.ceil(columns / wide);
      const zoom = zoomOf(wide, bands * tall * CELL.height + (bands - 1) * CELL.gap);
      if (zoom > best.zoom) best = { zoom, tall, wide };
    }
  }
  if (!best.tall || best.zoom > 1.5) return;
  let column = 0;
  cy.batch(() => {
    for (const level of ordered) {
      for (let from = 0; from < level.length; from += best.tall, column++) {
        const top = Math.floor(column / best.wide) * (best.tall * CELL.height + CELL.gap);
        level.slice(from, from + best.tall).forEach((node, at) => node.position({ x: (column % best.wide) * CELL.width, y: top + at * CELL.height }));
      }
    }
  });
}

function look(cy) {
  cy.fit(undefined, 20);
  cy.zoom(Math.min(1, Math.max(READABLE, cy.zoom())));
  const box = cy.elements().renderedBoundingBox();
  const isWhole = box.w <= cy.width() && box.h <= cy.height();
  cy.center(isWhole ? undefined : cy.nodes("[?here]"));
}

function listen({ cy, place }) {
  cy.on("tap", "node", (event) => location.assign(event.target.data("url")));
  cy.on("mouseover", "node", () => (place.style.cursor = "pointer"));
  cy.on("mouseout", "node", () => (place.style.cursor = ""));
  const middle = () => ({ x: cy.width() / 2, y: cy.height() / 2 });
  for (const button of place.querySelectorAll("[data-zoom]")) {
    button.onclick = () => {
      if (button.dataset.zoom === "fit") cy.fit(undefined, 24);
      else cy.zoom({ level: cy.zoom() * (button.dataset.zoom === "in" ? 1.35 : 1 / 1.35), renderedPosition: middle() });
    };
  }
  /* The wheel alone scrolls the page, over the graph as elsewhere. */
  place.addEventListener("wheel", (event) => cy.userZoomingEnabled(event.ctrlKey || event.metaKey), { capture: true, passive: true });
}

function ids(cy) {
  return cy.nodes().map((node) => node.id()).sort().join();
}

function paint() {
  drawn?.cy.style(style());
}

function style() {
  const surface = colour("--oi-surface");
  const faces = Object.entries(FACES).map(([status, face]) => ({
    selector: `node[status = "${status}"]`,
    style: { shape: face.shape, "border-color": colour(face.colour), "border-style": status === "draft" ? "dashed" : "solid", "text-max-width": face.width ?? 166 },
  }));
  return [
    {
      selector: "node",
      style: {
        label: "data(label)", width: 196, height: 68, "background-color": surface, "border-width": 1.5, color: colour("--oi-strong"),
        "font-family": "Inter, sans-serif", "font-size": 12, "line-height": 1.25, "text-wrap": "wrap",
        "text-valign": "center", "text-halign": "center",
      },
    },
    ...faces,
    ...Object.entries(FACES).map(([status, { fill }]) => ({
      selector: `node.far[status = "${status}"]`,
      style: { label: "data(mark)", "font-size": 54, "border-width": 6, "background-color": fill ? colour(fill) : surface, color: ["active", "blocked"].includes(status) ? surface : colour("--oi-strong") },
    })),
    { selector: 'node[status = "abandoned"]', style: { color: colour("--oi-quiet") } },
    { selector: "node[?here]", style: { "border-width": 3.5, "background-color": colour("--oi-raised"), "font-weight": 600 } },
    { selector: "node.far[?here]", style: { "border-width": 14, "border-color": colour("--oi-strong") } },
    { selector: "edge", style: { width: 1.5, "curve-style": "bezier", "line-color": colour("--oi-control") } },
    { selector: "edge.far", style: { opacity: 0.45 } },
    {
      selector: 'edge[kind = "waits"]',
      style: {
        "line-style": "dashed", "line-color": colour("--oi-warn"), "source-arrow-shape": "triangle", "source-arrow-color": colour("--oi-warn"),
      },
    },
  ];
}

function colour(name) {
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name);
  pixel.fillRect(0, 0, 1, 1);
  const [red, green, blue] = pixel.getImageData(0, 0, 1, 1).data;
  return `rgb(${red}, ${green}, ${blue})`;
}
