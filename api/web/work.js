/* What a person does with the form: choose files, read them, clear. */

import { isSending, sendArchive, sendFiles, stopSending } from "./batches.js";
import { showChoice, whatIsOnThem } from "./choose.js";
import { Problem } from "./client.js";
import { sendDocument } from "./documents.js";
import { announce, byId, el, icon } from "./dom.js";
import { complain, show, showProgress } from "./panel.js";
import { failure } from "./reading.js";
import { markCurrent } from "./recent.js";
import { rowsTable } from "./rows.js";
import { filePreview } from "./scan.js";
import { count } from "./words.js";

let chosen = [];

/* The request that sends them: the same one as long as nobody knows whether it arrived. */
let request = {};

const isArchive = (file) => /\.zip$/i.test(file.name) || file.type === "application/zip";

/** Take the files that a person chose, and show them. */
export function takeFiles(files) {
  chosen = files;
  request = {};
  complain("");
  showChoice(chosen);
  if (location.hash.startsWith("#/")) history.pushState(null, "", location.pathname);
  markCurrent();
  showChosen();
  announce(`${count(files.length, "file")} chosen. Press Read and Predict.`);
  byId("read").focus();
}

/** Show the chosen files; return what the sending goes on with. */
function showChosen() {
  const title = chosen.length === 1 ? chosen[0].name : count(chosen.length, "file");
  const head = el("div.doc-head", {}, el("div.doc-title", {}, el("h2", {}, title), el("p.doc-meta", {}, "Ready to read")));
  if (chosen.length > 1) {
    const table = rowsTable();
    table.update(chosen.map((file, key) => ({ key, filename: file.name, file, status: "ready" })));
    return { table, signal: show(head, table.element) };
  }
  const signal = show(head);
  filePreview(chosen[0]).then((preview) => signal.aborted || byId("reading").append(preview));
  return { table: null, signal };
}

/** Show the chosen files, or that nothing is open. */
export function openNothing() {
  if (chosen.length) return void showChosen();
  show(el("div.empty", {}, icon("mark", ""), el("h2", {}, "Nothing open"),
    el("p", {}, "Choose a scan of handwritten digits and press Read & Predict. Values that the reader is not sure of are marked for your look."),
    el("p", {}, el("kbd", {}, "Ctrl V"), " pastes a scan, ", el("kbd", {}, "Esc"), " clears.")));
}

/** Empty the page. What was sent already is read all the same; `byKey` leaves a running upload alone. */
export function clearWork({ byKey = false } = {}) {
  if (byKey && isSending()) return;
  stopSending();
  chosen = [];
  request = {};
  showChoice(chosen);
  complain("");
  if (location.hash) history.pushState(null, "", location.pathname);
  markCurrent();
  openNothing();
  announce("Cleared.");
  byId("drop").focus();
}

/** Send the chosen files, and open what they became. */
export async function sendChosen() {
  complain(chosen.length ? "" : "Choose a scan first.");
  if (!chosen.length) return void byId("drop").focus();
  if (chosen.length > 1 && chosen.some(isArchive)) return complain("Send a ZIP by itself.");
  const kind = whatIsOnThem();
  if (request.type !== kind.type || request.template !== kind.template) request = { ...kind };
  const { table, signal } = showChosen();
  try {
    const address = await sendAs({ kind, table, signal });
    if (!signal.aborted) location.hash = address;
  } catch (problem) {
    if (signal.aborted) return;
    if (!(problem instanceof Problem)) throw problem;
    showRefusal(problem);
  }
}

async function sendAs({ kind, table, signal }) {
  const [file] = chosen;
  if (chosen.length > 1) return `#/batches/${(await sendFiles(chosen, { kind, request, table, signal })).id}`;
  if (!isArchive(file)) return `#/documents/${(await sendDocument(file, { kind, request, signal, onCancel: stopUpload })).id}`;
  const onProgress = (share) => showProgress(`Sending: ${Math.floor(share * 100)} %`, share < 1 ? share : null, stopUpload);
  return `#/batches/${(await sendArchive(file, { kind, request, signal, onProgress })).id}`;
}

function stopUpload() {
  showChosen();
  announce("Sending was stopped.");
}

function showRefusal(problem) {
  show(el("div.doc-head", {}, el("h2", {}, chosen[0].name)), failure(problem, sendChosen));
  announce(`Not read. ${problem.message}`);
}
