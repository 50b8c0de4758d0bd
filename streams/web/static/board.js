// The board: one stream of events in, the page kept up to date. What is on the page is bounded: `limit` rows.
import { bar, byId, clock, el, humps, moment, percent, several } from "./dom.js";
import { openFailure, isOpen, useLabels } from "./failure.js";

const SILENCE_MS = 12_000; // the service says something every 5 s
const GRACE_MS = 2_500; // for a connection that comes back by itself, before the lamp goes out
const HOLD_MS = 8_000; // after a pointer or key moved in the list: rows must not slip from under a hand
const WORDS = { green: "Green", amber: "Amber", red: "Red", unknown: "Unknown" };
const TEXTS = {
  green: "The line runs; nothing is lit.",
  amber: "The line runs. Somebody should look.",
  red: "The line has stopped learning. Answers go on.",
};
const RIVALS = { lookup: "code lookup", majority: "majority", last_label: "last label" };

let limit = 60;
let version;
let source;
let retryMs = 1_000;
let heard = 0; // performance.now() of the last event
let lost = 0; // since when the connection is lost; 0: it is not
let lastId = "";
let state = null;
let waiting = []; // rows not yet shown, the newest first
let skipped = 0;
let drawing = false;
let paused = false;
let touched = -HOLD_MS;
const shown = {}; // what each part of the page was last made of
const nodes = new Map(); // prediction id -> its <li>

// ---- rows

function rowNode(row) {
  const button = el(
    "button",
    { type: "button", className: "row", tabIndex: -1 },
    el("time", { dateTime: new Date(row.at).toISOString() }, clock(row.at)),
    el("span", { className: "label" }, ...humps(row.label), " ", row.new ? el("span", { className: "chip" }, "new") : null),
    el("span", { className: "project" }, row.project),
    el("span", { className: "message" }, row.code ? `${row.code}  ${row.message}` : row.message),
    el("span", { className: "more" }, `${percent(row.confidence)} ${row.source}`, el("br"), row.more ? `+${row.more} more` : null),
  );
  button.addEventListener("click", () => openFailure(row, button));
  return el("li", {}, button);
}

function takeRows(rows, missed = 0) {
  waiting = [...rows.slice().reverse(), ...waiting].slice(0, limit);
  skipped += missed + Math.max(0, rows.length - limit);
  schedule();
}

function held() {
  return paused || performance.now() - touched < HOLD_MS;
}

function schedule() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    drawRows();
  });
}

function drawRows(force = false) {
  byId("held").textContent = heldText();
  if ((held() && !force) || !waiting.length) return;
  const list = byId("rows");
  const before = list.firstElementChild;
  const had = before !== null;
  for (const row of waiting.reverse()) {
    nodes.get(row.id)?.remove(); // answered again: it moves to the top
    const node = rowNode(row);
    if (had) node.firstChild.classList.add("arrived");
    nodes.set(row.id, node);
    list.prepend(node);
  }
  waiting = [];
  skipped = 0;
  const focused = list.contains(document.activeElement);
  while (list.childElementCount > limit) list.lastElementChild.remove();
  for (const [id, node] of nodes) if (!node.isConnected) nodes.delete(id);
  if (focused && !list.contains(document.activeElement)) list.querySelector(".row")?.focus();
  byId("empty").hidden = list.childElementCount > 0;
  byId("held").textContent = heldText();
  rove();
}

function heldText() {
  const number = waiting.length + skipped;
  if (!held() || !number) return paused ? "paused" : "";
  return `${paused ? "paused" : "held"}, ${number} newer`;
}

function clearRows() {
  byId("rows").replaceChildren();
  nodes.clear();
  waiting = [];
  skipped = 0;
}

// One row is in the tab order; arrow keys, Home and End move within the list.
function rove(to) {
  const list = byId("rows");
  const current = to ?? list.querySelector('.row[tabindex="0"]') ?? list.querySelector(".row");
  for (const row of list.querySelectorAll('.row[tabindex="0"]')) row.tabIndex = -1;
  if (current) current.tabIndex = 0;
}

function onKey(event) {
  const rows = [...byId("rows").querySelectorAll(".row")];
  const at = rows.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (at < 0 || next === undefined) return;
  event.preventDefault();
  const row = rows[Math.max(0, Math.min(rows.length - 1, next))];
  rove(row);
  row.focus();
}

// ---- parts of the state; each is made anew only when it changed, so that screen readers and eyes find rest

function part(name, value, draw) {
  const text = JSON.stringify(value);
  if (shown[name] === text) return;
  shown[name] = text;
  draw(value);
}

function drawState() {
  if (!state) return;
  const stale = lost && performance.now() - lost > GRACE_MS;
  part("lamp", stale ? { colour: "unknown", why: [], more: 0, stale: true } : state.lamp, drawLamp);
  part("line", [state.line, state.rate], drawLine);
  part("accuracy", state.accuracy, drawAccuracy);
  part("mix", [state.mix, state.drift], drawMix);
  part("fresh", state.fresh, drawFresh);
}

function drawLamp(lamp) {
  byId("lamp").dataset.colour = lamp.colour;
  byId("lamp-word").textContent = WORDS[lamp.colour];
  const silent = lamp.stale ? "The connection to the line is lost; what you see is old." : "";
  byId("lamp-text").textContent = TEXTS[lamp.colour] ?? silent;
  const more = lamp.more ? [el("li", {}, `and ${lamp.more} more: jidoka andon list`)] : [];
  byId("lamp-why").replaceChildren(...lamp.why.map(reasonNode), ...more);
  document.title = `${WORDS[lamp.colour]} – jidoka board`;
}

function reasonNode(why) {
  const about = [why.scope, why.since && `since ${moment(why.since)}`, why.acknowledged && `${why.acknowledged} looks after it`];
  const examples = why.scope ? (why.examples ?? []) : [];
  return el(
    "li",
    {},
    why.kind ? el("b", {}, why.kind) : null,
    why.text,
    about.some(Boolean) ? el("span", { className: "about" }, ` – ${about.filter(Boolean).join(", ")}`) : null,
    why.action ? el("span", { className: "act" }, `→ ${why.action}`) : null,
    ...examples.map((id, place) => {
      const button = el("button", { type: "button" }, `example ${place + 1}`);
      button.addEventListener("click", () => openFailure({ failure_id: id, project: why.scope }, button));
      return button;
    }),
  );
}

function drawLine([line, rate]) {
  const lastMinute = rate[rate.length - 2];
  byId("lag").textContent = line.lag === null ? "not known" : line.lag.toLocaleString("en");
  byId("rate").textContent = lastMinute.toLocaleString("en");
  byId("workers").textContent = line.workers ? `${line.ready} of ${line.workers}` : "not known";
  const most = Math.max(1, ...rate);
  const bars = rate.map((count, place) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const height = count ? Math.max(1.5, (40 * count) / most) : 0.6;
    for (const [name, value] of Object.entries({ x: place * 10 + 1, y: 40 - height, width: 8, height })) {
      node.setAttribute(name, value);
    }
    return node;
  });
  byId("spark").replaceChildren(...bars);
  const total = rate.reduce((sum, count) => sum + count, 0);
  byId("spark-note").textContent = `${several(total, "build")} answered in 30 minutes, at most ${most === 1 && !total ? 0 : most} in one`;
}

function barRow(className, name, cell, number, change, moved) {
  return el(
    "tr",
    { className },
    el("th", { scope: "row" }, ...humps(name)),
    el("td", { "aria-hidden": "true" }, cell),
    el("td", { className: "number" }, number),
    change === undefined ? null : el("td", { className: moved ? "change moved" : "change" }, change),
  );
}

function drawAccuracy(accuracy) {
  if (!accuracy) {
    byId("accuracy").replaceChildren();
    byId("accuracy-note").textContent = "nothing has been scored yet";
    return;
  }
  const rivals = Object.entries(accuracy.baselines).sort((one, other) => other[1] - one[1]);
  byId("accuracy").replaceChildren(
    barRow("own", "model", bar(accuracy.model), percent(accuracy.model, 1)),
    ...rivals.map(([name, share]) => barRow("", RIVALS[name] ?? name, bar(share), percent(share, 1))),
  );
  byId("accuracy-note").textContent =
    `${percent(accuracy.recent, 1)} of the last 500 a partition; ${several(accuracy.scored, "diagnostic")} scored before they were ` +
    "learned, code hidden (the lookup may see it)";
}

function drawMix([mix, drift]) {
  if (!mix) {
    byId("mix").replaceChildren();
    byId("mix-note").textContent = "nothing to show yet";
    return;
  }
  const known = mix.against !== null;
  const most = Math.max(0.01, ...mix.rows.flatMap((row) => [row.now, known ? row.before : 0]));
  byId("mix").replaceChildren(
    ...mix.rows.map((row) => {
      const points = Math.round((row.now - row.before) * 100);
      const change = !known ? undefined : points === 0 ? "±0" : points > 0 ? `▲ +${points}` : `▼ −${-points}`;
      const cell = bar(row.now / most, known ? row.before / most : undefined);
      return barRow("", row.label || "all others", cell, percent(row.now), change, Math.abs(points) >= 5);
    }),
  );
  const against = {
    baseline: "tick: the baseline; change in points",
    before: `tick: the ${several(mix.older, "build")} before them; change in points`,
  };
  const limitText = drift.threshold === undefined ? "" : ` of ${drift.threshold.toFixed(3)}`;
  const divergence = drift.divergence === undefined ? "" : `; KL divergence ${drift.divergence.toFixed(3)}${limitText} nats`;
  const builds = mix.builds === 1 ? "one build" : `the last ${several(mix.builds, "build")}`;
  byId("mix-note").textContent = `${builds}${known ? `; ${against[mix.against]}` : ""}${divergence}`;
}

function drawFresh(fresh) {
  byId("fresh").replaceChildren(
    ...fresh.map((row) => {
      const button = el(
        "button",
        { type: "button" },
        el("span", { className: "message" }, row.code ? `${row.code}  ${row.message}` : row.message),
        el("span", { className: "meta" }, `${row.label}, ${row.project}, ${moment(row.at)}`),
      );
      button.addEventListener("click", () => openFailure(row, button));
      return el("li", {}, button);
    }),
  );
  byId("fresh-note").hidden = fresh.length > 0;
}

// ---- the connection

function connected(live) {
  if (live) lost = 0;
  else lost ||= performance.now();
  byId("link").dataset.state = live ? "live" : "lost";
  const text = live ? "live" : "connection lost, trying again";
  if (byId("link-text").textContent !== text) byId("link-text").textContent = text;
}

function on(name, take) {
  source.addEventListener(name, (event) => {
    heard = performance.now();
    retryMs = 1_000;
    if (event.lastEventId) lastId = event.lastEventId;
    connected(true);
    take(JSON.parse(event.data));
    drawState();
  });
}

function connect() {
  source?.close();
  heard = performance.now();
  source = new EventSource(`/v1/board/stream${lastId ? `?last=${encodeURIComponent(lastId)}` : ""}`);
  on("snapshot", takeSnapshot);
  on("rows", (data) => takeRows(data.rows, data.skipped));
  on("state", (data) => (state = data));
  on("beat", () => {});
  source.addEventListener("error", () => {
    connected(false);
    if (source.readyState === EventSource.CLOSED) reconnect(); // refused: the browser does not try again by itself
  });
}

function reconnect() {
  source.close();
  heard = performance.now() + retryMs;
  setTimeout(connect, retryMs);
  retryMs = Math.min(15_000, retryMs * 2);
}

function takeSnapshot(whole) {
  if (version !== undefined && version !== whole.version && !isOpen()) {
    location.reload(); // another release of the service: it has another page
    return;
  }
  version ??= whole.version;
  limit = whole.board.limit;
  useLabels(whole.board.labels);
  state = whole.board.state;
  clearRows();
  waiting = whole.board.rows;
  drawRows(true);
  byId("empty").hidden = whole.board.rows.length > 0;
}

function watch() {
  if (performance.now() - heard > SILENCE_MS) {
    connected(false);
    connect();
  }
  drawState(); // the lamp of a connection that is lost goes out
  drawRows(); // rows that were held
}

const touch = () => (touched = performance.now());
byId("rows").addEventListener("pointermove", touch);
byId("rows").addEventListener("pointerleave", () => (touched = -HOLD_MS));
byId("rows").addEventListener("keydown", (event) => {
  touch();
  onKey(event);
});
byId("rows").addEventListener("focusin", (event) => {
  touch();
  if (event.target.matches(".row")) rove(event.target);
});
byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  touched = -HOLD_MS;
  drawRows();
});
setInterval(watch, 1_000);
connect();
