/* The page's entry: signing in, addresses, keys, and which view stands in the reading panel. */

import { isSending, openBatch } from "./batches.js";
import { endSession, getJson, hasKey, keepKey } from "./client.js";
import { listenForFiles, listenForKind, offerTemplates } from "./choose.js";
import { openDocument } from "./documents.js";
import { byId, el, icon } from "./dom.js";
import { complain } from "./panel.js";
import { markCurrent, showRecent } from "./recent.js";
import { clearWork, openNothing, sendChosen, takeFiles } from "./work.js";

const VIEWS = [
  [/^#\/documents\/([^/]+)$/, openDocument],
  [/^#\/batches\/([^/]+)$/, openBatch],
];

async function start() {
  let session;
  try {
    session = await getJson("/v1/session");
  } catch (problem) {
    if (problem.status !== 401) showOutage(problem);
    return;
  }
  if (!["read", "admin"].some((scope) => session.scopes.includes(scope))) {
    showSignIn("This key may not read. The page needs one with the scopes read and submit.");
    return;
  }
  showSession(session);
  offerTemplates().catch((problem) => complain(problem.message));
  route();
  showRecent();
}

function showSession({ owner, scopes }) {
  const mayRead = scopes.includes("submit") || scopes.includes("admin");
  byId("read").disabled = !mayRead;
  document.body.classList.toggle("looks-only", !mayRead);
  complain(mayRead ? "" : "This key may look at readings, but not send scans.");
  byId("who").replaceChildren(el("span", {}, "Signed in as "), el("b", {}, owner));
  byId("who").hidden = false;
  byId("signout").hidden = false;
  byId("signin").hidden = true;
  byId("work").hidden = false;
}

function showOutage(problem) {
  byId("work").hidden = false;
  byId("reading").replaceChildren(el("div.empty", {}, icon("failed"), el("h2", {}, "The service does not answer"),
    el("p", {}, `${problem.message} This page tries again by itself.`)));
  setTimeout(start, 3000);
}

function route() {
  const [pattern, open] = VIEWS.find(([known]) => known.test(location.hash)) ?? [];
  if (open) open(decodeURIComponent(location.hash.match(pattern)[1]));
  else if (!location.hash || location.hash === "#/") openNothing();
  markCurrent();
}

function showSignIn(reason) {
  const refused = hasKey();
  keepKey(null);
  byId("work").hidden = true;
  byId("who").hidden = true;
  byId("signout").hidden = true;
  byId("signin").hidden = false;
  const spent = location.search === "?link=expired" ? "That link was used already or has run out." : "";
  byId("key-error").textContent = refused ? reason : spent;
  byId("key").focus();
}

function signIn(event) {
  event.preventDefault();
  const key = byId("key").value.trim();
  byId("key-error").textContent = key ? "" : "Enter a key first.";
  if (!key) return;
  byId("key").value = "";
  keepKey(key);
  start();
}

/** Forget the key, and end the session of a one-time link: who signs out leaves nothing behind that signs in. */
async function signOut() {
  keepKey(null);
  try {
    await endSession();
  } catch (problem) {
    return complain(problem.message);
  }
  location.hash = "#/";
  location.reload();
}

/** Escape clears, except while somebody types. */
function onKey(event) {
  if (event.key !== "Escape" || event.defaultPrevented || byId("work").hidden) return;
  if (event.target.matches?.("input:not([type=radio]):not([type=file]), select")) return;
  clearWork({ byKey: true });
}

window.addEventListener("signed-out", () => showSignIn("The service does not know this key, or it was revoked."));
window.addEventListener("hashchange", route);
window.addEventListener("beforeunload", (event) => isSending() && event.preventDefault());
document.addEventListener("keydown", onKey);
byId("signin-form").addEventListener("submit", signIn);
byId("signout").addEventListener("click", signOut);
byId("clear").addEventListener("click", () => clearWork());
byId("send").addEventListener("submit", (event) => { event.preventDefault(); sendChosen(); });
listenForFiles(takeFiles);
listenForKind();
start();
