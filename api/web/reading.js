/* One document as read: the scan with its boxes, each value large, each digit with its crop, confidence and alternatives. */

import { correctionForm } from "./correcting.js";
import { button, el, icon, roving } from "./dom.js";
import { boxesOver, drawCrop, filePreview, pagePicture, scanFigure, scanNote } from "./scan.js";
import { count, duration, fieldState, fieldsOf, isFinal, isUnsure, moment, percent, reasons, stateOf, typeName } from "./words.js";

/**
 * Return the view of a document.
 *
 * `file` is the local file while the document is not read yet; `trail` what stands above the title;
 * `actions` are `onRetry` and `onCsv`.
 */
export function documentView(reading, { file = null, trail = null, onRetry, onCsv }) {
  const body = el("div.doc-body");
  const view = el("div", {}, trail, head(reading, { onRetry, onCsv }), duplicateNote(reading), pageNotes(reading), body,
    technical(reading));
  if (reading.failure) body.append(failure(reading.failure, () => onRetry()));
  if (reading.status === "done" && reading.pages.length) showPage(body, reading, firstTelling(reading));
  else if (file) filePreview(file).then((preview) => body.append(preview));
  else if (!isFinal(reading.status)) body.append(scanNote("The scan appears here once it is read.", "wait"));
  return view;
}

const firstTelling = (reading) => Math.max(0, reading.pages.findIndex((page) => page.failure || page.fields.length));

function head(reading, { onRetry, onCsv }) {
  const done = reading.status === "done";
  const again = done || reading.status === "cancelled" ? button(done ? "Read again" : "Read it after all", onRetry) : null;
  return el("div.doc-head", {},
    el("div.doc-title", {}, el("h2", {}, reading.filename || "Untitled scan"), meta(reading)),
    el("div.actions", {}, done && button("Download CSV", onCsv), again));
}

function meta(reading) {
  const took = duration(reading.started_at, reading.finished_at);
  const pages = reading.progress?.pages_total;
  return el("p.doc-meta", {},
    summary(reading),
    el("span", {}, templateName(reading.template) ?? typeName(reading.type)),
    pages > 1 && el("span", {}, count(pages, "page")),
    took && el("span", {}, `read in ${took}`),
    el("span", {}, `sent ${moment(reading.created_at)}`));
}

/** Return the document's state; of several numbers, how many need a look. */
function summary(reading) {
  const fields = fieldsOf(reading);
  const doubtful = fields.filter((field) => !field.accepted).length;
  if (reading.status !== "done" || fields.length < 2) return mark(stateOf(reading));
  const state = { ...stateOf(reading), word: doubtful ? `${doubtful} of ${fields.length} numbers need a look` : `${fields.length} numbers, all accepted` };
  return mark(state);
}

/** Return a state as icon and word; `chip` puts it on a coloured ground. */
export function mark(state, chip = false) {
  return el(["span", "state", chip && "chip", state.kind].filter(Boolean).join("."), {}, icon(state.icon), state.word);
}

function duplicateNote(reading) {
  if (!reading.duplicate_of) return null;
  return el("p.banner", {}, "The same scan was sent before.",
    el("a", { href: `#/documents/${encodeURIComponent(reading.duplicate_of)}` }, "Open the earlier reading"));
}

/** Return which pages of the form are missing, or come twice. */
function pageNotes(reading) {
  return reading.notes?.length ? el("div.banner", {}, reading.notes.map((note) => el("p", {}, note.message))) : null;
}

/** Return a failure as a person reads it, with a button that tries again. */
export function failure(problem, onRetry) {
  return el("div.failure", { role: "group", "aria-label": "Failure" },
    icon("failed"),
    el("strong", {}, problem.message),
    el("p", {}, problem.retryable ? "Trying again may help. " : "Trying again will not change this file. ", el("code", {}, problem.code)),
    onRetry && el("div.actions", {}, button("Try again", onRetry)));
}

/** Return a template's name, with its version where one is chosen: `auto` has none. */
function templateName(template) {
  if (!template) return null;
  return template.version === null ? template.name : `${template.name} v${template.version}`;
}

function technical(reading) {
  const facts = [
    ["Document", reading.id], ["SHA-256", reading.sha256], ["Reader", reading.reader?.version],
    ["Attempts", reading.attempts], ["Template", templateName(reading.template)],
  ];
  return el("details.technical", {}, el("summary", {}, "Details"),
    el("dl", {}, facts.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])));
}

/** Show one page in `body`; the document's other pages are a button away. */
function showPage(body, reading, pageIndex, focusOn = null) {
  const page = reading.pages[pageIndex];
  const turn = (index, name) => showPage(body, reading, index, name);
  const scan = el("div.scan", {});
  const answers = el("div.answers", {});
  const shape = [page.height > page.width * 0.9 && page.width > 500 && "tall", page.fields.length > 1 && "many"].filter(Boolean);
  body.replaceChildren(el(["div", "sheet", ...shape].join("."), {}, scan, answers));
  const selection = fieldsView(answers, page, reading);
  scan.append(el("div.scan-place", {}, scanNote("Fetching the page …", "wait")), scanBar(reading, pageIndex, turn));
  pagePicture(reading.id, page.index).then(
    (picture) => placePicture(scan, { picture, page, selection, name: reading.filename }),
    () => scan.querySelector(".scan-place").replaceChildren(scanNote("There is no picture of this page.")));
  if (focusOn) scan.querySelector(`[data-turn=${focusOn}]:not(:disabled), [data-turn]:not(:disabled)`)?.focus();
}

function placePicture(scan, { picture, page, selection, name }) {
  const label = `Scan of ${name}, page ${page.index + 1}, ${count(page.fields.length, "number")} marked`;
  const { frame, holder } = scanFigure(picture, { width: page.width, height: page.height, label });
  scan.querySelector(".scan-place").replaceChildren(frame);
  scan.querySelector(".enlarge").hidden = picture.width < holder.clientWidth * 1.15;
  selection.havePicture(picture, boxesOver(holder, page, selection.selectField));
}

function scanBar(reading, pageIndex, turn) {
  const total = reading.pages.length;
  const arrow = (name, label, to) => button(icon(name), () => turn(to, name), {
    kind: "quiet", "aria-label": label, "data-turn": name, disabled: to < 0 || to >= total,
  });
  const pages = total > 1 && el("span.pages", {}, arrow("back", "Previous page", pageIndex - 1),
    el("span", { "aria-live": "polite" }, `Page ${pageIndex + 1} of ${total}`), arrow("next", "Next page", pageIndex + 1));
  const enlarge = button("Enlarge", () => {
    const large = enlarge.closest(".scan").querySelector(".scan-frame").classList.toggle("large");
    enlarge.setAttribute("aria-pressed", large);
    enlarge.textContent = large ? "Fit" : "Enlarge";
  }, { kind: "quiet.enlarge", "aria-pressed": "false", hidden: true });
  return el("div.scan-bar", {}, pages, enlarge);
}

/** Fill `answers` with the page's fields; return how the scan and the fields follow each other. */
function fieldsView(answers, page, reading) {
  const state = { picture: null, boxes: null, fieldIndex: 0 };
  const answer = el("div.answer", {});
  const select = (digitIndex) => state.boxes?.select(state.fieldIndex, digitIndex);
  const selectField = (index) => {
    state.fieldIndex = index;
    list?.querySelectorAll("button").forEach((item, at) => item.setAttribute("aria-pressed", at === index));
    showField(answer, page.fields[index], { reading, page, state, onDigit: select });
    select(null);
  };
  const list = page.fields.length > 1 ? fieldList(page.fields, selectField, reading) : null;
  answers.append(...[list, answer].filter(Boolean));
  if (page.failure) answer.append(failure(page.failure));
  else if (page.fields.length) selectField(0);
  else answer.append(nothingFound(reading));
  const havePicture = (picture, boxes) => {
    Object.assign(state, { picture, boxes });
    if (page.fields.length) selectField(state.fieldIndex);
  };
  return { selectField, havePicture };
}

function nothingFound(reading) {
  return el("div", {}, el("p.value.none", {}, "No numbers found"),
    el("p.reasons", {}, reading.type ? "Nothing on this page looks like digits."
      : "Nothing on this page looks like a number. If the whole image is one number, choose “Digits” and read it again."));
}

function fieldList(fields, selectField, reading) {
  const items = fields.map((field, index) => el("button.field-item", {
    type: "button", "aria-pressed": String(index === 0), on: { click: () => selectField(index) },
  }, fieldName(field, reading), el("b", {}, field.text || "–"), mark(fieldState(field))));
  const list = el("div.fields", { role: "group", "aria-label": count(fields.length, "number") }, items);
  roving(list, selectField);
  return list;
}

/** Return what a template calls a field; numbers that were only found on the page have no name that says anything. */
const fieldName = (field, { template }) => template && !/^number_\d+$/.test(field.name) && el("span.field-name", {}, field.name.replaceAll("_", " "));

/** Show one field: its value, whether it was accepted and why not, its digits, and a place to say what it really reads. */
function showField(answer, field, { reading, page, state, onDigit }) {
  const value = field.text ? el("output.value", { "aria-label": "Value as read" }, field.text) : el("p.value.none", {}, "No digits found");
  answer.replaceChildren(...[
    fieldName(field, reading),
    el("div.value-row", {}, value, mark(fieldState(field), true),
      el("span.sure", {}, field.digits.length ? `${percent(field.confidence)} sure of the whole` : "")),
    field.value !== null && field.value !== field.text && el("p.as-value", {}, `Stored as ${field.value}`),
    !field.accepted && el("p.reasons", {}, reasons(field).join(" ")),
    ...(field.digits.length ? digitsView(field, { page, picture: state.picture, onDigit }) : []),
    correctionForm(reading, page, field),
  ].filter(Boolean));
  answer.querySelectorAll("canvas").forEach((canvas, index) => {
    if (state.picture) drawCrop(canvas, state.picture, page, field.digits[index].box);
  });
}

function digitsView(field, { onDigit }) {
  const other = el("div.other", { "aria-live": "polite" });
  const weakest = field.digits.reduce((worst, digit, index) => (digit.confidence < field.digits[worst].confidence ? index : worst), 0);
  const tiles = field.digits.map((digit, index) => digitTile(digit, { index, total: field.digits.length, onPoint: () => point(index) }));
  const row = el("div.digits", { role: "group", "aria-label": "Digit by digit" }, tiles);
  const point = (index) => {
    tiles.forEach((tile, at) => tile.setAttribute("aria-pressed", at === index));
    other.replaceChildren(...otherReadings(field, index));
    onDigit(index);
  };
  tiles[weakest].setAttribute("aria-pressed", "true");
  other.replaceChildren(...otherReadings(field, weakest, field.digits.length > 1 ? "Least certain: digit" : "Digit"));
  roving(row, point);
  return [row, other];
}

function digitTile(digit, { index, total, onPoint }) {
  const unsure = isUnsure(digit);
  const level = el("i");
  level.style.setProperty("--level", digit.confidence);
  return el(`button.digit-tile${unsure ? ".look" : ""}`, {
    type: "button", "aria-pressed": "false", "data-digit": index,
    "aria-label": `Digit ${index + 1} of ${total}: ${digit.char}, ${percent(digit.confidence)} sure`,
    on: { pointerenter: onPoint, click: onPoint },
  },
  el("canvas", { "aria-hidden": "true" }),
  el("span.char", {}, digit.char),
  el("span.level", { "aria-hidden": "true" }, level),
  el("span.percent", {}, unsure ? `? ${percent(digit.confidence)}` : percent(digit.confidence)));
}

/** Return two lines: what a digit was read as, and what else it might be. */
function otherReadings(field, index, lead = "Digit") {
  const digit = field.digits[index];
  const others = digit.alternatives.filter((alternative) => alternative.confidence >= 0.0005).slice(0, 4);
  return [
    el("p.other-line", {}, el("span", {}, `${lead} ${index + 1} of ${field.digits.length}: reads `, el("b", {}, digit.char), `, ${percent(digit.confidence)} sure`)),
    el("p.other-line", {}, others.length
      ? ["It might also be", ...others.map((other) => el("span", {}, el("b", {}, other.char), ` ${percent(other.confidence)}`))]
      : "Nothing else comes close."),
  ];
}
