/* A document's reading as CSV: the columns and rows that the command line and the service's results.csv give. */

const COLUMNS = ["file", "page", "field", "type", "text", "value", "confidence", "accepted", "review_reasons"];

/** Return a document as CSV (RFC 4180), with a header. */
export function documentCsv(reading) {
  return [COLUMNS, ...documentRows(reading).map(([file, ...cells]) => [harmless(file), ...cells])].map(csvLine).join("");
}

function documentRows(reading) {
  if (reading.failure) return [unread(reading.filename, "", reading.failure.code)];
  return [
    ...reading.pages.flatMap((page) => pageRows(reading.filename, page)),
    ...(reading.notes ?? []).map((note) => [reading.filename, "", "", "page", String(note.form_page), "", "", "false", note.code]),
  ];
}

function pageRows(file, page) {
  const number = String(page.index + 1);
  if (page.failure) return [unread(file, number, page.failure.code)];
  if (!page.fields.length) return [unread(file, number, "empty")];
  return page.fields.map((field) => [
    file, number, field.name, field.type, field.text, field.value ?? "", field.confidence.toFixed(6),
    String(field.accepted), field.review_reasons.join(";"),
  ]);
}

const unread = (file, page, reason) => [file, page, "", "", "", "", "", "false", reason];

/** Return a file's name so that no spreadsheet runs it as a formula: an apostrophe before what would start one. */
const harmless = (file) => (/^[=+\-@\t\r]/.test(file) ? `'${file}` : file);

function csvLine(row) {
  return `${row.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",")}\r\n`;
}

/** Hand `content` to the person as a file. */
export function saveAs(name, content) {
  const blob = content instanceof Blob ? content : new Blob([content], { type: "text/csv;charset=utf-8" });
  const url = URL.createObjectURL(blob);
  const anchor = document.createElement("a");
  Object.assign(anchor, { href: url, download: name });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Return a file's name with `.csv` in place of its own ending. */
export const csvName = (name) => `${(name || "reading").replace(/\.[^.]{1,5}$/, "")}.csv`;
