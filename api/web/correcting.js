/* What a person says that a field reads. It is stored beside the reading, which stays as it was read. */

import { postJson } from "./client.js";
import { button, el } from "./dom.js";
import { saidOf } from "./words.js";

const MOST_CHARACTERS = 64;

/** Return the form in which a person corrects or confirms a field; what was said before stands below it. */
export function correctionForm(reading, page, field) {
  const before = current(reading, page, field);
  const said = el("p.said", { "aria-live": "polite" }, before ? saidOf(before) : null);
  const error = el("p.error", { role: "alert" });
  const input = el("input", {
    id: "correction", autocomplete: "off", spellcheck: "false", maxlength: MOST_CHARACTERS, value: before ? before.text ?? "" : field.text,
  });
  const say = (truth, text) => tell(reading, { page: page.index, field: field.name, truth, text })
    .then((correction) => { said.textContent = saidOf(correction); error.textContent = ""; })
    .catch((problem) => { error.textContent = problem.message; });
  const save = el("button.secondary", { type: "submit" });
  const name = () => {
    save.textContent = input.value.trim() === field.text && field.text ? "Confirm" : "Correct";
    save.disabled = !input.value.trim();
  };
  input.addEventListener("input", name);
  name();
  const submit = (event) => { event.preventDefault(); say("text", input.value.trim()); };
  return el("form.correction", { on: { submit } },
    el("label", { for: "correction" }, "What it really reads"),
    el("div.correction-row", {}, input, save),
    el("div.correction-row", {},
      button("Nothing stands there", () => say("empty", null), { kind: "quiet" }),
      button("Nobody can tell", () => say("unreadable", null), { kind: "quiet" })),
    said, error);
}

const isOf = (page, field) => (correction) => correction.page === page.index && correction.field === field.name;

const current = (reading, page, field) => reading.corrections?.find(isOf(page, field));

/** Send a correction, keep it with the reading in place of an earlier one, and return it. */
async function tell(reading, body) {
  const correction = await postJson(`/v1/documents/${encodeURIComponent(reading.id)}/corrections`, body);
  const others = (reading.corrections ?? []).filter((each) => !isOf({ index: body.page }, { name: body.field })(each));
  reading.corrections = [...others, correction];
  return correction;
}
