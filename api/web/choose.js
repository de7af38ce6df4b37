/* Choosing scans: the file dialog, dropped files and folders, the clipboard. */

import { getJson } from "./client.js";
import { byId, el } from "./dom.js";
import { count, size } from "./words.js";

const HIDDEN = /^(\.|Thumbs\.db$|desktop\.ini$)/;

/** Call `onFiles(files)` for every choice that a person makes, however they make it. */
export function listenForFiles(onFiles) {
  const input = byId("files");
  byId("drop").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    if (input.files.length) onFiles([...input.files]);
    input.value = "";
  });
  listenForDrops(onFiles);
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    onFiles(files);
  });
}

function listenForDrops(onFiles) {
  let depth = 0;
  const mark = (change) => {
    depth = change ? Math.max(0, depth + change) : 0;
    document.body.classList.toggle("dragging", depth > 0);
  };
  window.addEventListener("dragenter", () => mark(1));
  window.addEventListener("dragleave", () => mark(-1));
  window.addEventListener("dragover", (event) => event.preventDefault());
  window.addEventListener("drop", async (event) => {
    event.preventDefault();
    mark(0);
    const files = await droppedFiles(event.dataTransfer);
    if (files.length) onFiles(files);
  });
}

/** Return the files of a drop, those inside folders too. */
async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  return (await Promise.all(entries.map(filesOf))).flat();
}

async function filesOf(entry) {
  if (HIDDEN.test(entry.name)) return [];
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return (await Promise.all(found.map(filesOf))).flat();
    found.push(...some);
  }
}

/** Show the list of templates while "A form or cheque" is chosen. */
export function listenForKind() {
  const show = () => { byId("template").hidden = kindOf(new FormData(byId("send"))) !== TEMPLATE; };
  byId("send").addEventListener("change", show);
  // Browsers restore the choice of an earlier visit, before this runs or after it, and say nothing.
  show();
  window.addEventListener("pageshow", show);
}

/** Offer the templates that the service has now, behind the first choice, which is `auto`. */
export async function offerTemplates() {
  const [auto] = byId("template").options;
  const { templates } = await getJson("/v1/templates");
  byId("template").replaceChildren(auto, ...templates.map(({ name, description }) => el("option", { value: name, title: description }, name)));
}

/** Return what a person says is on the scans: `{ type }`, or `{ template }`. */
export function whatIsOnThem() {
  const form = new FormData(byId("send"));
  return kindOf(form) === TEMPLATE ? { template: form.get("template") } : { type: kindOf(form) };
}

const TEMPLATE = "template";

const kindOf = (form) => form.get("type");

/** Say in the drop zone what is chosen. */
export function showChoice(files) {
  const total = files.reduce((sum, file) => sum + file.size, 0);
  byId("drop").classList.toggle("chosen", files.length > 0);
  byId("drop-title").textContent = files.length === 0 ? "Choose scans, or drop them here"
    : files.length === 1 ? files[0].name : count(files.length, "file");
  byId("drop-hint").textContent = files.length === 0 ? "PNG, JPEG, BMP, WebP, TIFF, PDF or ZIP. Pasting works too."
    : `${size(total)}. Press to choose others.`;
}
