/* What was sent before: the last documents and batches, each a link to its reading. */

import { getJson } from "./client.js";
import { byId, el, icon } from "./dom.js";
import { count, moment, stateOf } from "./words.js";

const DOCUMENTS = 8;
const LOOKED_THROUGH = 60;
const BATCHES = 5;

/** Fetch both lists and show them; an outage leaves what was there. */
export async function showRecent() {
  const [documents, batches] = await Promise.all([
    getJson(`/v1/documents?limit=${LOOKED_THROUGH}`), getJson(`/v1/batches?limit=${BATCHES}`),
  ]).catch(() => [null, null]);
  if (!documents) return;
  fill(byId("recent-documents"), single(documents.documents).map(documentItem), "Nothing was sent yet.");
  fill(byId("recent-batches"), batches.batches.map(batchItem), "Several files sent together appear here.");
  markCurrent();
}

/** Mark the item that is open. */
export function markCurrent() {
  for (const item of document.querySelectorAll(".recent-item")) {
    if (item.hash === location.hash) item.setAttribute("aria-current", "page");
    else item.removeAttribute("aria-current");
  }
}

function fill(list, items, nothing) {
  list.replaceChildren(...(items.length ? items : [el("li.none", {}, nothing)]));
}

/** Return the documents that were sent alone, or the newest ones where all came in batches. */
function single(documents) {
  const alone = documents.filter((reading) => reading.batch_id === null);
  return (alone.length ? alone : documents).slice(0, DOCUMENTS);
}

function documentItem(reading) {
  const state = stateOf(reading);
  return item(`#/documents/${encodeURIComponent(reading.id)}`, {
    state, name: reading.filename || "Untitled scan", more: reading.status === "done" ? moment(reading.created_at) : state.word, when: reading.created_at,
  });
}

function batchItem(batch) {
  const failed = batch.counts.failed ?? 0;
  const finished = (batch.counts.done ?? 0) + failed + (batch.counts.cancelled ?? 0) >= batch.total;
  const state = finished ? { kind: failed ? "bad" : "good", icon: failed ? "failed" : "check", word: failed ? `${failed} failed` : "Read" }
    : { kind: "", icon: "wait", word: "Reading" };
  return item(`#/batches/${encodeURIComponent(batch.id)}`, {
    state, name: batch.name || count(batch.total, "file"), more: count(batch.total, "file"), when: batch.created_at,
  });
}

function item(href, { state, name, more, when }) {
  const title = `${name}, ${state.word}, ${moment(when)}`;
  return el("li", {}, el("a.recent-item", { href, title },
    el(["span", "state", state.kind].filter(Boolean).join("."), {}, icon(state.icon), el("span.sr-only", {}, state.word)),
    el("span.recent-name", {}, name),
    el("span.recent-more", {}, more)));
}
