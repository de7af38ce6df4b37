/* Many files as a table whose rows fill in as they finish. Only what is shown is built, so thousands of rows stay light. */

import { button, el } from "./dom.js";
import { mark } from "./reading.js";
import { isPicture, thumbnail } from "./scan.js";
import { fieldsOf, leastSure, percent, shortReasons, stateOf, values } from "./words.js";

const STEP = 200;
const THUMB = { width: 136, height: 48 };
const PARALLEL_THUMBS = 3;

const FILTERS = {
  all: { label: "All", keeps: () => true },
  look: { label: "Needs a look", keeps: (row) => stateOf(row).kind === "look" },
  failed: { label: "Failed", keeps: (row) => row.status === "failed" },
};

/**
 * Return a table of rows. A row is a document's JSON with `key`, and `file` while it is still at hand;
 * before it has an `id` its `status` is `ready` or `uploading`.
 */
export function rowsTable() {
  const rows = new Map();
  const keys = new Map();
  const view = { filter: "all", limit: STEP, scheduled: false, onRetry: null };
  const thumbs = thumbLoader();
  const body = el("tbody");
  const chips = el("div.filters", { role: "group", "aria-label": "Which rows to show" });
  const more = el("p.more-row", { hidden: true }, button("Show more", () => { view.limit += STEP; draw(); }));
  const none = el("p.scan-note", { hidden: true }, "No rows of this kind.");
  const filters = Object.keys(FILTERS).map((name) => button("", () => { view.filter = name; draw(); }, { kind: "filter", "aria-pressed": "false" }));
  chips.append(...filters);

  function draw() {
    view.scheduled = false;
    const all = [...rows.values()];
    const kept = all.filter((row) => FILTERS[view.filter].keeps(row.data));
    settle(body, kept.slice(0, view.limit).map((row) => elementOf(row)));
    more.hidden = kept.length <= view.limit;
    none.hidden = kept.length > 0;
    Object.entries(FILTERS).forEach(([name, { label, keeps }], at) => {
      filters[at].textContent = `${label} ${all.filter((row) => keeps(row.data)).length}`;
      filters[at].setAttribute("aria-pressed", String(view.filter === name));
    });
  }

  function take(key, data) {
    const row = rows.get(key);
    // A file whose upload got no answer may have arrived, and stand here under its id until it is sent again.
    if (data.id && keys.get(data.id) !== key) rows.delete(keys.get(data.id));
    if (data.id) keys.set(data.id, key);
    if (!row) rows.set(key, { data: { ...data, key } });
    else if (!sameState(row.data, data)) row.data = { file: row.data.file, ...data, key };
  }

  function elementOf(row) {
    if (!row.element) row.element = el("tr");
    if (row.drawn !== row.data) {
      row.drawn = row.data;
      // A table outlives the view that it was drawn in, so the action is looked up when it is asked for.
      fillRow(row, { onRetry: (data) => view.onRetry?.(data), thumbs });
    }
    return row.element;
  }

  return {
    element: el("div", {}, chips, el("table.rows", {}, header(), body), none, more),
    /** Say what a failed row's button does. */
    onRetry(action) { view.onRetry = action; },
    /** Take in new states of rows; the table is drawn once for all of them. */
    update(list, { onlyKnown = false } = {}) {
      for (const data of list) {
        const key = data.key ?? keys.get(data.id) ?? (onlyKnown ? null : data.id);
        if (key !== null) take(key, data);
      }
      if (view.scheduled) return;
      view.scheduled = true;
      requestAnimationFrame(draw);
    },
    /** Return a row's status. */
    state: (key) => rows.get(key)?.data.status,
    /** Return all rows in their order. */
    list: () => [...rows.values()].map((row) => row.data),
  };
}

const sameState = (one, other) => one.status === other.status && one.id === other.id && one.finished_at === other.finished_at;

function header() {
  const names = ["Scan", "File", "Reading", "Certainty", "State"];
  return el("thead", {}, el("tr", {}, names.map((name) => el("th", { scope: "col" }, name))));
}

/** Make `body` hold exactly `elements`, moving nothing that stands right, so that the focus stays. */
function settle(body, elements) {
  elements.forEach((element, index) => {
    if (body.children[index] !== element) body.insertBefore(element, body.children[index] ?? null);
  });
  while (body.children.length > elements.length) body.lastElementChild.remove();
}

function fillRow(row, { onRetry, thumbs }) {
  const { data, element } = row;
  row.thumb ??= el("td.thumb", {}, el("span.blank"));
  const picture = pictureOf(data);
  if (!row.pictured && picture) {
    row.pictured = true;
    thumbs.watch(row.thumb, picture);
  }
  const least = leastSure(data);
  element.replaceChildren(row.thumb,
    el("td.name", {}, nameOf(data)),
    el(fieldsOf(data).length > 1 ? "td.read.several" : "td.read", {}, readOf(data)),
    el("td.sureness", {}, least === null ? "" : percent(least)),
    el("td.outcome", {}, mark(stateOf(data)), whyOf(data), data.status === "failed"
      && button("Try again", () => onRetry(data), { kind: "quiet", "aria-label": `Try ${data.filename} again` })));
}

/** Return where a row's picture comes from: the local file, else the service once it has read the document. */
function pictureOf(data) {
  if (data.file && isPicture(data.file)) return data.file;
  return data.status === "done" ? `/v1/documents/${encodeURIComponent(data.id)}/pages/0.webp` : null;
}

const nameOf = (data) => (data.id ? el("a", { href: `#/documents/${encodeURIComponent(data.id)}` }, data.filename) : data.filename);

function readOf(data) {
  if (data.status !== "done") return "";
  return values(data) || el("small", {}, "No numbers found");
}

function whyOf(data) {
  if (data.failure) return el("span.why", {}, data.failure.message);
  if (data.status !== "done") return null;
  const failedPages = data.pages.filter((page) => page.failure).length;
  const why = new Set(fieldsOf(data).filter((field) => !field.accepted).flatMap(shortReasons));
  if (failedPages) why.add(`${failedPages} of ${data.pages.length} pages unreadable`);
  for (const note of data.notes ?? []) why.add(note.message);
  return why.size ? el("span.why", {}, [...why].join(", ")) : null;
}

/** Return a loader that draws a row's scan once the row comes into sight, a few at a time. */
function thumbLoader() {
  const waiting = [];
  const sources = new WeakMap();
  let running = 0;
  const next = async () => {
    if (running >= PARALLEL_THUMBS || !waiting.length) return;
    running += 1;
    const cell = waiting.shift();
    try {
      cell.replaceChildren(await thumbnail(sources.get(cell), THUMB));
    } catch { /* a row without its picture is still a row */ }
    running -= 1;
    next();
  };
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      observer.unobserve(target);
      waiting.push(target);
      next();
    }
  }, { rootMargin: "200px" });
  return { watch(cell, source) { sources.set(cell, source); observer.observe(cell); } };
}
