/* The HTTP interface as the page uses it: signed requests, uploads with progress, long polls. */

const KEY = "tallyscan.key";
const WAIT_SECONDS = 20;

/** An answer that is not a success: a sentence for a person, its code, and whether trying again may help. */
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(sentence(status, body));
    this.status = status;
    this.code = body?.code ?? (status ? `http_${status}` : "service_unreachable");
    this.retryable = body?.retryable ?? (status === 0 || status === 429 || status >= 500);
    this.retryAfter = retryAfter;
  }
}

function sentence(status, body) {
  if (status === 0) return "The service does not answer.";
  return body?.detail || body?.message || body?.title || `The service answered ${status}.`;
}

/** Keep an API key for this tab; null forgets it. */
export function keepKey(key) {
  if (key) sessionStorage.setItem(KEY, key);
  else sessionStorage.removeItem(KEY);
}

/** Return whether this tab holds an API key. */
export const hasKey = () => sessionStorage.getItem(KEY) !== null;

function headersFor(extra = {}) {
  const key = sessionStorage.getItem(KEY);
  return { "X-Requested-With": "tallyscan", ...(key ? { Authorization: `Bearer ${key}` } : {}), ...extra };
}

function refuse(status, body, retryAfter) {
  if (status === 401) window.dispatchEvent(new CustomEvent("signed-out"));
  return new Problem(status, body, Number(retryAfter) || 0);
}

async function send(path, { method = "GET", headers, body, signal } = {}) {
  let response;
  try {
    response = await fetch(path, { method, headers: headersFor(headers), body, signal, credentials: "same-origin", cache: "no-cache" });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0);
  }
  if (response.ok || response.status === 304) return response;
  const answer = await response.json().catch(() => null);
  throw refuse(response.status, answer, response.headers.get("Retry-After"));
}

/** Return the JSON of a GET. */
export const getJson = async (path, options) => (await send(path, options)).json();

/** Return the bytes of a GET as a Blob. */
export const getBlob = async (path, options) => (await send(path, options)).blob();

/** Return the values of a GET of JSON lines. */
export async function getLines(path, options) {
  const text = await (await send(path, options)).text();
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

/** POST without a body; return the answer's JSON. */
export const post = async (path, options) => (await send(path, { ...options, method: "POST" })).json();

/** POST a value as JSON; return the answer's JSON. */
export const postJson = (path, value) => post(path, { body: JSON.stringify(value), headers: { "Content-Type": "application/json" } });

/** End the session that a one-time link began in this browser. */
export const endSession = () => send("/logout", { method: "POST" });

/** Put into a form what is on a scan: a type, or a template; neither where the numbers on the page are meant. */
export function addKind(form, { type, template }) {
  if (type) form.append("type", type);
  if (template) form.append("template", template);
}

/** Return a value for Idempotency-Key, so that an upload sent again is not read twice. */
function uniqueKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * POST a form with upload progress (which fetch cannot report); return the answer's JSON.
 * An upload that got no answer, or "try again", is sent again under the same Idempotency-Key. It stays in `request.key`
 * until the service has taken or refused the upload, so that a later call goes on with the same `request`.
 */
export async function upload(path, form, { request = {}, onProgress, signal } = {}) {
  request.key ??= uniqueKey();
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await uploadOnce(path, form, { key: request.key, onProgress, signal });
      request.key = null;
      return answer;
    } catch (error) {
      if (isRefusal(error)) request.key = null;
      if (!(error instanceof Problem) || !error.retryable || attempt === 4) throw error;
      await pause(error.retryAfter || attempt, signal);
    }
  }
}

const isRefusal = (error) => error instanceof Problem && error.status >= 400 && error.status < 500 && !error.retryable;

function uploadOnce(path, form, { key, onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open("POST", path);
    for (const [name, value] of Object.entries(headersFor({ "Idempotency-Key": key }))) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress?.(event.loaded / event.total);
    request.onload = () => settle(request, resolve, reject);
    request.onerror = () => reject(new Problem(0));
    request.onabort = () => reject(new DOMException("Stopped", "AbortError"));
    request.onloadend = () => signal?.removeEventListener("abort", abort);
    signal?.addEventListener("abort", abort);
    request.send(form);
  });
}

function settle(request, resolve, reject) {
  let body = null;
  try { body = JSON.parse(request.responseText); } catch { /* an answer that is not JSON has no body for us */ }
  if (request.status >= 200 && request.status < 300) resolve(body);
  else reject(refuse(request.status, body, request.getResponseHeader("Retry-After")));
}

/** Wait, unless stopped. */
export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
  });
}

/**
 * Follow `path` by long polls, calling `onChange(json)` for every new state, until it returns true.
 * Outages are waited out, longer each time; `onAway(problem)` says so.
 */
export async function follow(path, { onChange, onAway, signal }) {
  let etag = null;
  for (let failures = 0; !signal.aborted;) {
    const started = performance.now();
    try {
      const response = await send(`${path}${etag ? `?wait=${WAIT_SECONDS}` : ""}`, { signal, headers: etag ? { "If-None-Match": etag } : {} });
      failures = 0;
      const atOnce = () => performance.now() - started < 1000;
      if (response.status !== 304) {
        const known = etag;
        etag = response.headers.get("ETag") ?? "none";
        if (onChange(await response.json())) return;
        // A proxy between may keep the tags from meeting: without a pause the page would ask without end.
        if (known && strong(known) === strong(etag) && atOnce()) await pause(1, signal);
      } else if (atOnce()) {
        // A service with many waiting answers at once that there is nothing new.
        await pause(0.5, signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem) || !error.retryable) throw error;
      failures += 1;
      onAway?.(error);
      await pause(error.retryAfter || Math.min(2 ** failures / 2, 10), signal).catch(() => {});
    }
  }
}

/** Return an entity tag without the mark of a proxy that has packed the answer. */
const strong = (etag) => etag.replace(/^W\//, "");
