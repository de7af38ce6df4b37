/* What readings, states and failures are called. Every sentence that a person reads about them is written here. */

const REASONS = {
  empty: "No digits were found here.",
  low_confidence: "The reader is not sure enough of this value.",
  not_digits: "Some of the marks do not look like digits.",
  invalid_format: "The characters do not form a valid value for this field.",
  readers_disagree: "Two ways of reading this field gave different values.",
  comb_misfit: "There is not one digit in each of the printed boxes.",
  check_failed: "This value contradicts another one, or what is expected here.",
  rule_conflict: "The ink clearly shows something that this field may not hold.",
  registration_poor: "The page could not be laid exactly over its template.",
  template_unknown: "No template fits this page.",
  overwritten: "Something was written over here.",
  void: "This field is struck out.",
  not_a_digit: "One of the signs is no digit.",
  ambiguous_cut: "The digits can be parted in two ways.",
  several_numbers: "There may be several numbers here.",
  cut_off: "The number may go on beyond the field's edge.",
  page_guessed: "The page's code could not be read: its position says which page of the form it is.",
  form_outdated: "The page was printed as another version of the form.",
};

const SHORT_REASONS = {
  empty: "No digits found",
  low_confidence: "Not sure enough",
  not_digits: "Not all digits",
  invalid_format: "Not a valid value",
  readers_disagree: "Read in two ways",
  comb_misfit: "Boxes do not fit",
  check_failed: "Check failed",
  rule_conflict: "Against the rule",
  registration_poor: "Page does not fit",
  template_unknown: "Unknown form",
  overwritten: "Written over",
  void: "Struck out",
  not_a_digit: "Not a digit",
  ambiguous_cut: "Unclear cut",
  several_numbers: "Several numbers",
  cut_off: "Cut off",
  page_guessed: "Page not sure",
  form_outdated: "Another version",
};

const TYPES = {
  "": "Numbers on the page", digits: "Digits", digit: "One digit", amount: "Amount", date: "Date", letters: "Letters",
};

/** Return a probability as people read it; rounded down, so that nothing is made to look surer than it is. */
export function percent(probability) {
  if (probability >= 0.999) return "≥ 99.9 %";
  if (probability < 0.001) return "< 0.1 %";
  return `${(Math.floor(probability * 1000) / 10).toFixed(1)} %`;
}

/** Return `1 file`, `2 files`. */
export const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

/** Return a number of bytes as `245 kB` or `3.4 MB`. */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Return a moment as `14:32` today, else with its date. */
export function moment(stamp) {
  const time = new Date(stamp);
  const today = time.toDateString() === new Date().toDateString();
  const clock = time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return today ? clock : `${time.toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" })}, ${clock}`;
}

/** Return the time between two moments as `0.21 s`, or an empty string when one is missing. */
export function duration(from, until) {
  if (!from || !until) return "";
  const seconds = (new Date(until) - new Date(from)) / 1000;
  return seconds < 10 ? `${seconds.toFixed(2)} s` : `${Math.round(seconds)} s`;
}

/** Return why a field needs a look, one sentence for each reason. */
export function reasons(field) {
  return field.review_reasons.map((code) => REASONS[code] ?? `${code.replaceAll("_", " ")}.`);
}

/** Return why a field needs a look, a few words for each reason. */
export const shortReasons = (field) => field.review_reasons.map((code) => SHORT_REASONS[code] ?? code.replaceAll("_", " "));

/** Return what a field type is called. */
export const typeName = (type) => TYPES[type ?? ""] ?? type;

/** Return whether a status is final. */
export const isFinal = (status) => ["done", "failed", "cancelled"].includes(status);

/** Return all fields of a document. */
export const fieldsOf = (reading) => (reading.pages ?? []).flatMap((page) => page.fields ?? []);

const STATES = {
  ready: { kind: "", icon: "file", word: "Ready to read" },
  uploading: { kind: "", icon: "wait", word: "Sending" },
  queued: { kind: "", icon: "wait", word: "Waiting" },
  running: { kind: "", icon: "wait", word: "Reading" },
  failed: { kind: "bad", icon: "failed", word: "Failed" },
  cancelled: { kind: "", icon: "stop", word: "Cancelled" },
  done: { kind: "", icon: "check", word: "Read" },
  accepted: { kind: "good", icon: "check", word: "Accepted" },
  look: { kind: "look", icon: "look", word: "Needs a look" },
};

/** Return a document's state: `kind` (a CSS class), `icon`, `word`. */
export function stateOf(reading) {
  if (reading.status !== "done") return STATES[reading.status] ?? STATES.queued;
  // A list of documents leaves their pages out; a document that was read has at least one.
  if (!reading.pages?.length) return STATES.done;
  const fields = fieldsOf(reading);
  const whole = !reading.notes?.length && !reading.pages.some((page) => page.failure);
  const sound = whole && fields.length > 0 && fields.every((field) => field.accepted);
  return sound ? STATES.accepted : STATES.look;
}

/** Return whether a digit deserves a second look: alone, it would keep its field from being accepted by default. */
export const isUnsure = (digit) => digit.confidence < 0.95;

/** Return a field's state. */
export const fieldState = (field) => (field.accepted ? STATES.accepted : STATES.look);

/** Return what was said of a field, by whom and when. */
export function saidOf({ truth, text, confirms, by, created_at: stamp }) {
  const what = confirms ? "Confirmed" : { text: `Corrected to ${text}`, empty: "Marked as empty", unreadable: "Marked as unreadable" }[truth];
  return `${what} by ${by.key_name}, ${moment(stamp)}.`;
}

/** Return a document's values in one line. */
export function values(reading) {
  const texts = fieldsOf(reading).map((field) => field.text || "–");
  return texts.length > 6 ? `${texts.slice(0, 6).join("  ·  ")}  …` : texts.join("  ·  ");
}

/** Return the confidence of a document's least certain field, or null. */
export function leastSure(reading) {
  const fields = fieldsOf(reading).filter((field) => field.digits.length);
  return fields.length ? Math.min(...fields.map((field) => field.confidence)) : null;
}
