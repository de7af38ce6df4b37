/* One document: sent, followed by long polls until it is read, and shown. */

import { neighbours } from "./batches.js";
import { addKind, follow, post, upload } from "./client.js";
import { announce, byId, el, icon } from "./dom.js";
import { complain, hideProgress, opening, replace, show, showProgress } from "./panel.js";
import { documentView, failure } from "./reading.js";
import { showRecent } from "./recent.js";
import { csvName, documentCsv, saveAs } from "./table.js";
import { isFinal, stateOf, values } from "./words.js";

const SLOW_MS = 15_000;

/* Files stay at hand until the page is left: their pictures are shown until the service has its own. */
const localFiles = new Map();

/* What a person is waiting for: its end is told even when it comes before the first look. */
const awaited = new Set();

const pathOf = (id) => `/v1/documents/${encodeURIComponent(id)}`;

/** Send one file at high priority; return the new document. */
export async function sendDocument(file, { kind, request, signal, onCancel }) {
  const data = new FormData();
  data.append("file", file, file.name);
  data.append("priority", "high");
  addKind(data, kind);
  const onProgress = (share) => {
    if (share < 1) showProgress(`Sending: ${Math.floor(share * 100)} %`, share, onCancel);
    else showProgress("Sent, waiting for the answer", null, onCancel);
  };
  onProgress(0);
  const sent = await upload("/v1/documents", data, { request, onProgress, signal });
  localFiles.set(sent.id, file);
  awaited.add(sent.id);
  return sent;
}

/** Open a document, and follow it until it is read. */
export async function openDocument(id) {
  const signal = show(opening());
  const began = performance.now();
  let shown = false;
  const onChange = (reading) => {
    const final = isFinal(reading.status);
    if (!shown || final) showDocument(reading, signal);
    shown = true;
    if (final) finish(reading);
    else showReading(reading, performance.now() - began);
    return final;
  };
  try {
    await follow(pathOf(id), { signal, onChange, onAway: (problem) => showProgress(`${problem.message} Trying again …`, null) });
  } catch (problem) {
    replace(signal, failure(problem, problem.retryable ? () => openDocument(id) : null));
  }
}

function showDocument(reading, signal) {
  replace(signal, documentView(reading, {
    file: localFiles.get(reading.id),
    trail: trailOf(reading),
    onRetry: () => again(reading),
    onCsv: () => saveAs(csvName(reading.filename), documentCsv(reading)),
  }));
}

function showReading(reading, elapsed) {
  const { pages_total: total, pages_done: done } = reading.progress;
  const running = reading.status === "running";
  const several = running && total > 1;
  const waiting = elapsed > SLOW_MS ? "Still waiting. Is a worker running?" : "Waiting for a worker";
  const text = several ? `Reading: ${done} of ${total} pages done` : running ? "Reading" : waiting;
  showProgress(text, several ? done / total : null, () => post(`${pathOf(reading.id)}/cancel`).catch((problem) => complain(problem.message)));
  announce(text);
  awaited.add(reading.id);
}

function finish(reading) {
  hideProgress();
  if (!awaited.delete(reading.id)) return;
  announce(outcome(reading));
  showRecent();
  const panel = byId("reading");
  if (panel.getBoundingClientRect().top > window.innerHeight * 0.6) panel.scrollIntoView({ block: "start", behavior: "smooth" });
}

function outcome(reading) {
  if (reading.status === "failed") return `Failed: ${reading.failure?.message ?? ""}`;
  if (reading.status === "cancelled") return "Cancelled.";
  return `Read ${values(reading) || "no numbers"}. ${stateOf(reading).word}.`;
}

async function again(reading) {
  try {
    await post(`${pathOf(reading.id)}/retry`);
    awaited.add(reading.id);
    await openDocument(reading.id);
  } catch (problem) {
    complain(problem.message);
  }
}

/** Return the way back to the document's batch, and to its neighbours there. */
function trailOf(reading) {
  if (!reading.batch_id) return null;
  const { at, total, previous, next } = neighbours(reading);
  const link = (href, ...content) => el("a.quiet", { href }, ...content);
  return el("nav.trail", { "aria-label": "Batch" },
    link(`#/batches/${encodeURIComponent(reading.batch_id)}`, icon("back"), "Back to the batch"),
    total && el("span.where", {}, `File ${at + 1} of ${total}`),
    previous && link(`#/documents/${encodeURIComponent(previous.id)}`, "Previous"),
    next && link(`#/documents/${encodeURIComponent(next.id)}`, "Next"));
}
