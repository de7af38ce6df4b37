/* Many files: sent one by one into a batch, a few at a time, and shown as rows that fill in as they finish. */

import { Problem, addKind, getBlob, getJson, getLines, pause, post, upload } from "./client.js";
import { announce, button, el } from "./dom.js";
import { complain, hideProgress, opening, replace, show, showProgress } from "./panel.js";
import { failure } from "./reading.js";
import { showRecent } from "./recent.js";
import { rowsTable } from "./rows.js";
import { csvName, saveAs } from "./table.js";
import { count, isFinal, moment } from "./words.js";

const PARALLEL = 3;

/* The batch that was shown last: its rows outlive a look at one of its documents. */
let current = { id: null, table: null, sending: null };

/* Batches whose files are being sent, by their ids: that goes on whatever is looked at meanwhile. */
const underway = new Map();

/* Batches that a person is waiting for: their end is told even when it comes before the first look. */
const awaited = new Set();

const pathOf = (id) => `/v1/batches/${encodeURIComponent(id)}`;

/** Return whether files are still being sent. */
export const isSending = () => underway.size > 0;

/** Stop sending; what has arrived is read all the same. */
export function stopSending() {
  underway.forEach((batch) => batch.sending.controller.abort());
}

/** Make a batch and begin to send `files` into it; return the batch as soon as it exists. */
export async function sendFiles(files, { kind, request, table, signal }) {
  const batch = await createBatch([], { name: nameOf(files), request, signal });
  const rows = files.map((file, key) => ({ key, filename: file.name, file, request: {}, status: "ready" }));
  const sending = { controller: new AbortController(), sent: 0, total: files.length };
  const sent = { id: batch.id, table, sending };
  current = sent;
  underway.set(batch.id, sent);
  const work = rows.map((row) => () => sendRow(row, { kind, batch: batch.id, table, sending }));
  inParallel(work, sending.controller.signal).finally(() => {
    rows.filter((row) => table.state(row.key) === "ready").forEach((row) => table.update([{ ...row, status: "cancelled" }]));
    sent.sending = null;
    underway.delete(batch.id);
  });
  return batch;
}

/** Send one ZIP, whose files become a batch; return the batch. */
export async function sendArchive(file, { kind, request, signal, onProgress }) {
  return createBatch([file], { name: file.name, kind, request, signal, onProgress });
}

async function createBatch(files, { name, kind = {}, request, signal, onProgress }) {
  const data = new FormData();
  data.append("name", name);
  addKind(data, kind);
  files.forEach((file) => data.append("files", file, file.name));
  const batch = await upload("/v1/batches", data, { request, signal, onProgress });
  awaited.add(batch.id);
  return batch;
}

const nameOf = (files) => `${files[0].name} and ${files.length - 1} more`;

async function inParallel(work, signal = null) {
  const queue = [...work];
  const lane = async () => {
    while (queue.length && !signal?.aborted) await queue.shift()();
  };
  await Promise.all(Array.from({ length: PARALLEL }, lane));
}

async function sendRow(row, { kind, batch, table, sending }) {
  const data = new FormData();
  data.append("file", row.file, row.file.name);
  data.append("batch", batch);
  addKind(data, kind);
  table.update([{ ...row, failure: null, status: "uploading" }]);
  try {
    const reading = await upload("/v1/documents", data, { request: row.request, signal: sending?.controller.signal });
    table.update([{ ...reading, key: row.key }]);
  } catch (problem) {
    const stopped = !(problem instanceof Problem);
    const state = stopped ? { status: "cancelled" } : { status: "failed", failure: problem };
    table.update([{ ...row, ...state, kind }]);
  }
  if (sending) sending.sent += 1;
}

/** Open a batch, and follow it until every document is finished. */
export async function openBatch(id) {
  if (current.id !== id) current = underway.get(id) ?? { id, table: rowsTable(), sending: null };
  const { table } = current;
  const signal = show(table.list().length ? table.element : opening());
  const view = { id, table, signal, batch: current, head: null, state: null, retries: 0, following: false };
  table.onRetry((row) => retryRow(row, view));
  await followBatch(view);
}

async function followBatch(view) {
  const { signal } = view;
  view.following = true;
  for (let failures = 0; view.following && !signal.aborted;) {
    const began = performance.now();
    try {
      view.following = !(await refresh(view));
      failures = 0;
      // A refresh of a large batch takes a while; most of the time is left to the workers.
      if (view.following) await pause(Math.max(0.6, (performance.now() - began) / 250), signal);
    } catch (problem) {
      if (signal.aborted) return;
      if (!problem.retryable) return void replace(signal, failure(problem));
      failures += 1;
      showProgress(`${problem.message} Trying again …`, null);
      await pause(Math.min(failures, 10), signal).catch(() => {});
    }
  }
}

/** Fetch the batch and its readings once; return whether all is finished. */
async function refresh(view) {
  const { id, table, signal, retries } = view;
  const { sending } = view.batch;
  const batch = await getJson(pathOf(id), { signal });
  // A document that fails again at once leaves the batch as it was, but not the row that was tried again.
  const state = JSON.stringify([batch, sending?.sent, retries]);
  if (view.state !== state) {
    const readings = await getLines(`${pathOf(id)}/results.jsonl`, { signal });
    table.update(readings, { onlyKnown: sending !== null });
    showHead(batch, view);
    view.state = state;
  }
  const finished = finishedOf(batch);
  if (!sending && finished >= batch.total && retries === view.retries) return finish(batch);
  awaited.add(id);
  const goal = sending?.total ?? batch.total;
  const text = sending ? `Sent ${sending.sent} of ${goal}, ${finished} read` : `${finished} of ${count(goal, "file")} read`;
  showProgress(text, goal ? finished / goal : null, () => cancelAll(view));
  return false;
}

const finishedOf = ({ counts }) => (counts.done ?? 0) + (counts.failed ?? 0) + (counts.cancelled ?? 0);

function showHead(batch, view) {
  const head = el("div.doc-head", {},
    el("div.doc-title", {}, el("h2", {}, batch.name || "Batch"),
      el("p.doc-meta", {}, el("span", {}, count(Math.max(batch.total, view.table.list().length), "file")), el("span", {}, `sent ${moment(batch.created_at)}`))),
    el("div.actions", {}, batch.counts.done ? button("Download CSV", () => download(batch)) : null));
  if (view.head) swapHead(view.head, head);
  else replace(view.signal, head, view.table.element);
  view.head = head;
}

/** Put the new head in the old one's place, and keep the focus on its button. */
function swapHead(old, head) {
  const focused = old.contains(document.activeElement);
  old.replaceWith(head);
  if (focused) head.querySelector("button")?.focus();
}

async function download(batch) {
  try {
    saveAs(csvName(batch.name), await getBlob(`${pathOf(batch.id)}/results.csv`));
  } catch (problem) {
    complain(problem.message);
  }
}

function finish(batch) {
  hideProgress();
  if (awaited.delete(batch.id)) {
    const failed = batch.counts.failed ?? 0;
    announce(`${count(batch.total, "file")} finished${failed ? `, ${failed} failed` : ""}.`);
    showRecent();
  }
  return true;
}

async function cancelAll({ batch, table }) {
  batch.sending?.controller.abort();
  const unfinished = table.list().filter((row) => row.id && !isFinal(row.status));
  await inParallel(unfinished.map((row) => () => post(`/v1/documents/${encodeURIComponent(row.id)}/cancel`).catch(() => {})));
}

async function retryRow(row, view) {
  complain("");
  try {
    if (row.id) view.table.update([await post(`/v1/documents/${encodeURIComponent(row.id)}/retry`)]);
    else await sendRow(row, { kind: row.kind, batch: view.id, table: view.table });
    awaited.add(view.id);
    view.retries += 1;
    if (!view.following) await followBatch(view);
  } catch (problem) {
    complain(problem.message);
  }
}

/** Return where a document stands among the rows of its batch, as far as they are loaded. */
export function neighbours(reading) {
  const list = current.id === reading.batch_id ? current.table.list().filter((row) => row.id) : [];
  const at = list.findIndex((row) => row.id === reading.id);
  return at < 0 ? {} : { at, total: list.length, previous: list[at - 1], next: list[at + 1] };
}
