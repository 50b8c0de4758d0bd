// One failure in a dialog: its diagnostics with the marked code, what was said of them and why, and how to contradict.
import { byId, el, moment, percent } from "./dom.js";

const TOKEN = "jidoka-token"; // kept for this tab only
const AUTHOR = "jidoka-author";
const SHOWN = 20; // diagnostics; a button shows the rest
const SPANS = 6;
const BY = { rule: "by rule", model: "by the model", feedback: "as people said" };
const dialog = byId("dialog");

let labels = [];
let opener = null;
let asked = 0; // answers to an older question are not shown

export const useLabels = (groups) => (labels = groups);
export const isOpen = () => dialog.open;

export async function openFailure(row, button) {
  opener = button;
  asked += 1;
  byId("dialog-head").textContent = `Failed build of ${row.project}`;
  byId("dialog-body").replaceChildren(el("p", { className: "facts", role: "status" }, "loading"));
  if (!dialog.open) dialog.showModal();
  byId("dialog-head").focus();
  await load(row, asked);
}

async function load(row, mine) {
  const path = `/v1/failures/${encodeURIComponent(row.failure_id)}?project=${encodeURIComponent(row.project)}`;
  const answer = await ask(path);
  if (mine !== asked || !dialog.open) return;
  if (answer.status === 401) {
    byId("dialog-body").replaceChildren(tokenForm(answer.said, () => load(row, asked)));
    byId("dialog-body").querySelector("input").focus();
    return;
  }
  byId("dialog-body").replaceChildren(...(answer.ok ? content(row, answer.body) : [said(answer.said, true)]));
}

// Return {ok, status, body, said}; `said` is the reason in words where it is not ok.
async function ask(path, options = {}) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  try {
    const response = await fetch(path, { ...options, headers });
    const body = await response.json();
    return { ok: response.ok, status: response.status, body, said: body.detail ?? `refused with status ${response.status}` };
  } catch {
    return { ok: false, status: 0, body: null, said: "no answer; is the line up?" };
  }
}

function said(text, bad = false) {
  return el("p", { className: bad ? "said bad" : "said", role: bad ? "alert" : "status", tabIndex: -1 }, text);
}

function tokenForm(why, then) {
  const input = el("input", { type: "password", name: "token", required: true, autocomplete: "off" });
  const form = el(
    "form",
    { className: "token" },
    el("label", {}, "Token (JIDOKA_TOKEN); kept until this tab is closed", input),
    el("button", { className: "primary" }, "Use it"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem(TOKEN, input.value.trim());
    then();
  });
  return el("div", {}, said(why, true), form);
}

// ---- what is shown

function content(row, { failure, prediction }) {
  const about = prediction ?? failure;
  const facts = [
    row.at ? moment(row.at) : moment(Date.parse(about.time)),
    failure?.toolchain,
    about.commit && `commit ${about.commit.slice(0, 12)}`,
    about.run && `run ${about.run}`,
    about.parts && `part ${about.part} of ${about.parts}`,
    prediction?.model_version && `model ${prediction.model_version}`,
    about.failure_id ?? about.id,
  ];
  const answers = prediction?.classifications ?? [];
  const diagnostics = failure?.diagnostics ?? answers.map((one) => ({ code: one.code, message: one.message }));
  const root = prediction?.root ?? 0;
  const order = [root, ...diagnostics.keys()].filter((place, at, all) => all.indexOf(place) === at && diagnostics[place]);
  const make = (place) => articleOf(about, place, diagnostics[place], answers[place], place === root && diagnostics.length > 1);
  const rest = order.slice(SHOWN);
  const more = el("button", { type: "button" }, `Show ${rest.length} more`);
  more.addEventListener("click", () => more.replaceWith(...rest.map(make)));
  return [
    el("p", { className: "facts" }, facts.filter(Boolean).join("  ·  ")),
    failure ? null : said("The record itself is no longer held here; this is what its prediction says.", true),
    prediction ? null : said("Not answered yet.", true),
    ...order.slice(0, SHOWN).map(make),
    rest.length ? more : null,
  ].filter(Boolean);
}

function articleOf(about, index, diagnostic, answer, isRoot) {
  const spans = [...(diagnostic.spans ?? [])].sort((one, other) => (other.is_primary === true) - (one.is_primary === true));
  const left = spans.length - SPANS;
  return el(
    "article",
    { "data-index": index },
    el("h3", {}, diagnostic.code ? `${diagnostic.code}  ${diagnostic.message}` : diagnostic.message),
    answer ? verdict(answer, isRoot) : null,
    ...byFile(spans.slice(0, SPANS)).map(codeOf),
    left > 0 ? el("p", { className: "facts" }, `and ${left} more places`) : null,
    ...section("Notes", (diagnostic.notes ?? []).map((note) => `${note.level}: ${note.message}`)),
    ...(diagnostic.suggestions ?? []).slice(0, SPANS).flatMap(fixOf),
    answer ? wrongForm(about, index, answer) : null,
  );
}

function verdict(answer, isRoot) {
  const label = answer.subcategory ?? answer.category;
  const others = answer.top
    .map((one) => [one.subcategory ?? one.category, one.probability])
    .filter(([name, share]) => name !== label && share >= 0.005)
    .map(([name, share]) => `${name} ${percent(share)}`);
  const novelty = answer.novelty;
  const text = answer.explanation ?? "";
  const explanation = text.startsWith(`${label}: `) ? text.slice(label.length + 2) : text;
  return el(
    "div",
    {},
    el(
      "div",
      { className: "verdict" },
      el("b", {}, label),
      answer.subcategory ? el("span", {}, `(${answer.category})`) : null,
      el("span", {}, `${percent(answer.confidence)} ${BY[answer.source] ?? answer.source}`),
      isRoot ? el("span", { className: "chip" }, "likely the first cause") : null,
      novelty && !novelty.seen ? el("span", { className: "chip" }, "new kind of message") : null,
    ),
    explanation ? el("p", {}, explanation) : null,
    el("p", { className: "facts" }, `because ${answer.reason}`),
    others.length ? el("p", { className: "facts" }, `else ${others.join(", ")}`) : null,
    novelty?.seen
      ? el("p", { className: "facts" }, `seen in ${novelty.seen} builds before, first ${moment(Date.parse(novelty.first))}`)
      : null,
  );
}

function section(title, texts) {
  if (!texts.length) return [];
  return [el("h4", {}, title), el("ul", { className: "notes" }, ...texts.map((text) => el("li", {}, text)))];
}

// The places of one file as rustc draws them: numbered lines, what is marked, and labels below. Columns count
// characters (code points) from 1, their end is exclusive.
function codeOf(spans) {
  const lines = new Map();
  for (const span of spans) {
    const before = span.before ?? [];
    const text = span.text ?? [];
    [...before, ...text, ...(span.after ?? [])].forEach((line, place) => lines.set(span.line_start - before.length + place, line));
  }
  const pre = el("pre", {});
  const indent = indentOf([...lines.values()]);
  let last;
  for (const number of [...lines.keys()].sort((one, other) => one - other)) {
    if (last !== undefined && number > last + 1) pre.append(srcLine("", "…"));
    const here = spans.filter((span) => span.line_start <= number && number < span.line_start + (span.text ?? []).length);
    pre.append(srcLine(number, ...marked(lines.get(number), here, number, indent)));
    for (const span of here.filter((one) => one.label && number === lastLine(one))) {
      pre.append(labelLine(lines.get(number), span, number, indent));
    }
    last = number;
  }
  const [first] = spans;
  const place = `${first.file}:${first.line_start}${first.column_start ? `:${first.column_start}` : ""}`;
  return el("div", { className: "code", tabIndex: 0, role: "group", "aria-label": `code at ${place}` }, el("div", { className: "place" }, place), pre);
}

// How many characters of white space all lines begin with, blank ones aside.
function indentOf(lines) {
  const found = lines.filter((text) => text.trim()).map((text) => text.search(/\S/));
  return found.length ? Math.min(...found) : 0;
}

const lastLine = (span) => span.line_start + (span.text ?? []).length - 1;

function srcLine(number, ...parts) {
  return el("span", { className: "src" }, el("span", { className: "no", "aria-hidden": "true" }, String(number)), ...parts);
}

// A line in pieces: what a primary span marks, what others mark, and the rest.
function marked(text, spans, number, indent) {
  const chars = Array.from(text);
  const kinds = chars.map(() => "");
  for (const span of [...spans].sort((one, other) => (one.is_primary === true) - (other.is_primary === true))) {
    const [left, middle] = cut(text, span, number);
    const from = Array.from(left).length;
    kinds.fill(span.is_primary ? "primary" : "other", from, from + Array.from(middle).length);
  }
  const parts = [];
  chars.forEach((char, place) => {
    if (place < indent) return; // what all lines begin with
    if (place > indent && kinds[place] === kinds[place - 1]) parts[parts.length - 1].text += char;
    else parts.push({ kind: kinds[place], text: char });
  });
  return parts.map(({ kind, text: piece }) => (kind ? el("mark", { className: kind }, piece) : piece));
}

function labelLine(text, span, number, indent) {
  const [left, middle] = cut(text, span, number);
  const blank = Array.from(left.slice(indent), (char) => (char === "\t" ? "\t" : " ")).join("");
  const carets = (span.is_primary ? "^" : "-").repeat(Math.max(1, Array.from(middle).length));
  const below = el("span", { className: "src under" }, el("span", { className: "no" }));
  below.append(el("span", { "aria-hidden": "true" }, `${blank}${carets} `), span.label);
  return below;
}

function byFile(spans) {
  const files = new Map();
  for (const span of spans) files.set(span.file, [...(files.get(span.file) ?? []), span]);
  return [...files.values()];
}

function cut(text, span, number) {
  const chars = Array.from(text);
  const from = number === span.line_start ? Math.max(0, span.column_start - 1) : chars.findIndex((one) => one.trim());
  const to = number === span.line_end ? Math.max(from, span.column_end - 1) : chars.length;
  return [chars.slice(0, from), chars.slice(from, to), chars.slice(to)].map((part) => part.join(""));
}

function fixOf(fix) {
  const applicability = { MachineApplicable: "the compiler is sure", HasPlaceholders: "has placeholders" };
  const sure = applicability[fix.applicability] ?? "perhaps";
  const { span } = fix;
  const lines = span.text ?? [];
  const pre = el("pre", {});
  const add = (sign, kind, text) => pre.append(el("span", { className: `src ${kind}` }, `${sign} ${text}`));
  if (lines.length && lines.length === span.line_end - span.line_start + 1) {
    const first = cut(lines[0], span, span.line_start)[0];
    const end = cut(lines[lines.length - 1], span, span.line_end)[2];
    const after = (first + fix.replacement + end).split("\n");
    const indent = indentOf([...lines, ...after]);
    lines.forEach((text) => add("−", "drop", text.slice(indent)));
    after.forEach((text) => add("+", "add", text.slice(indent)));
  } else {
    fix.replacement.split("\n").forEach((text) => add("+", "add", text));
  }
  return [
    el("h4", {}, "Suggested fix"),
    el("p", {}, `${fix.message} (${sure})`),
    el("div", { className: "code" }, el("div", { className: "place" }, `${span.file}:${span.line_start}`), pre),
  ];
}

// ---- what people say

function options() {
  return labels.flatMap((group) => [group.label, ...group.finer].map((label) => ({ label, finer: label !== group.label })));
}

function wrongForm(about, index, answer) {
  const select = el(
    "select",
    { required: true, name: "category" },
    el("option", { value: "" }, "choose"),
    ...options().map(({ label, finer }) => el("option", { value: label }, finer ? `\u2003${label}` : label)),
  );
  const author = el("input", { name: "author", maxLength: 80, autocomplete: "name", value: sessionStorage.getItem(AUTHOR) ?? "" });
  const comment = el("input", { name: "comment", maxLength: 500 });
  const form = el(
    "form",
    {},
    el("label", {}, "it is", select),
    el("label", {}, "your name", author),
    el("label", {}, "why (if you like)", comment),
    el("button", { className: "primary" }, "Send"),
  );
  const shown = answer.subcategory ?? answer.category;
  const details = el("details", { className: "wrong" }, el("summary", {}, `${shown} is wrong, it is …`), form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem(AUTHOR, author.value);
    const texts = { author: author.value.trim(), comment: comment.value.trim() };
    const feedback = { project: about.project, failure_id: about.failure_id ?? about.id, index, category: select.value };
    send(details, { ...feedback, ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text)) });
  });
  return details;
}

async function send(details, feedback) {
  details.parentNode.querySelector(".answer")?.remove();
  const body = JSON.stringify(feedback);
  const answer = await ask("/v1/feedback", { method: "POST", body, headers: { "Content-Type": "application/json" } });
  const shown = el("div", { className: "answer" });
  if (answer.status === 401) shown.append(tokenForm(answer.said, () => send(details, feedback)));
  else if (!answer.ok) shown.append(said(answer.said, true));
  else shown.append(said(`Noted: ${feedback.category}. The next messages of this kind in ${feedback.project} are answered so.`));
  details.after(shown);
  if (answer.ok) details.open = false;
  (shown.querySelector("input") ?? shown.querySelector(".said")).focus();
}

byId("close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close(); // beside it
});
dialog.addEventListener("close", () => {
  byId("dialog-body").replaceChildren();
  asked += 1;
  (opener?.isConnected ? opener : byId("stream")).focus();
  opener = null;
});
