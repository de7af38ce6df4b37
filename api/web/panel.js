/* The reading panel, which shows one view at a time, and the progress below the form. */

import { byId, el, icon } from "./dom.js";

let open = new AbortController();

/** Put `views` into the reading panel; what stood there is given up. Return a signal that says when these are. */
export function show(...views) {
  open.abort();
  open = new AbortController();
  hideProgress();
  byId("reading").replaceChildren(...views);
  return open.signal;
}

/** Change what stands in the panel, unless it was given up meanwhile. */
export function replace(signal, ...views) {
  if (!signal.aborted) byId("reading").replaceChildren(...views);
}

/** Return what stands in the panel until something is known. */
export const opening = () => el("div.empty", {}, icon("wait", ""), el("p", {}, "Opening …"));

/** Say how far the work is: `share` is 0..1, or null while it cannot be told; `onCancel` gives a button that stops it. */
export function showProgress(text, share, onCancel = null) {
  const bar = byId("progress-bar");
  byId("progress").hidden = false;
  byId("progress-text").textContent = text;
  if (share === null) bar.removeAttribute("value");
  else bar.value = share * 100;
  byId("cancel").hidden = !onCancel;
  byId("cancel").onclick = onCancel;
}

/** Take the progress away. */
export function hideProgress() {
  byId("progress").hidden = true;
}

/** Say above the progress that something did not work; an empty text takes it back. */
export function complain(text) {
  byId("send-error").textContent = text;
}
