/* The check-in page: by camera, by code or from the list, with or without a network. */
import { Day, NotAnswered, NotReached, TokenNeeded, readCode } from "./check-in-store.js";

const SHOWN = 40;
const CLOCK_MAY_DIFFER_MS = 5 * 60_000;
const CLASSES = { international: "International", local: "Local", esn_volunteer: "ESN volunteer" };
const REASONS = {
  unknown_code: "Nobody has this code here. Look at the code again, or for the name.",
  unknown_registration: "This registration is not of this activity.",
  other_activity: "This code is for another activity.",
  not_confirmed: "No confirmed place: waiting, not chosen, or let go. Count them as somebody without a place.",
  cancelled: "This place was given back. Count them as somebody without a place.",
  activity_cancelled: "The activity was cancelled.",
  counted_in_its_parts: "People are counted at the parts of this activity.",
  too_early: "It is too early: more than a day before the start.",
  too_late: "It is too late: a month after the end.",
  in_the_future: "This phone’s clock is ahead. Set it right and check in again.",
  nonce_reused: "This was sent before for somebody else. Check in again.",
  not_understood: "The server did not understand this. Check in again.",
};

const at = (id) => document.getElementById(id);
const activity = location.pathname.split("/").at(-2);
const day = new Day(activity, new URL("../../v1/", location.href));
const tabs = new BroadcastChannel("check-in");
let isOffline = false;
let isSending = false;
let trouble = null;
let scanning = null;
/* The check-in of whoever is standing there. */
let standing = null;

function say(text, kind = "") {
  at("said").textContent = text;
  at("said").className = kind;
}

function plural(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}

function line() {
  const waiting = day.waiting().length;
  const told = [];
  if (trouble) told.push(trouble);
  else told.push(isOffline ? "Offline: everything is kept on this phone." : "Online.");
  told.push(waiting ? `${plural(waiting, "check-in", "check-ins")} not sent yet.` : "Everything is sent.");
  if (Math.abs(day.skew) > CLOCK_MAY_DIFFER_MS) told.push("This phone’s clock is wrong. Set it right.");
  return told.join(" ");
}

function element(name, text, more = {}) {
  const made = Object.assign(document.createElement(name), more);
  made.textContent = text;
  return made;
}

function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

function personItem(person, waiting) {
  const isThere = person.present || waiting.has(person.id);
  const state = person.present ? "is here" : waiting.has(person.id) ? "is here, not sent yet" : "not here yet";
  const lead = person.lead && day.people.find(({ id }) => id === person.lead);
  const button = element("button", person.name, { disabled: isThere });
  button.append(element("small", [CLASSES[person.class], lead && `with ${lead.name}`, state].filter(Boolean).join(" · ")));
  button.addEventListener("click", () => checkIn(person));
  const item = document.createElement("li");
  item.append(button);
  return item;
}

function refusedItem({ label, reason, nonce }) {
  const item = element("li", `${label}: ${REASONS[reason] ?? reason}`);
  const button = element("button", "All right", { className: "plain" });
  button.addEventListener("click", () => { day.dismiss(nonce); show(); });
  item.append(button);
  return item;
}

function show() {
  const isOpen = day.token !== null;
  at("enter").hidden = isOpen;
  at("day").hidden = !isOpen;
  at("line").textContent = isOpen || day.waiting().length ? line() : "";
  at("title").textContent = isOpen && day.list.title ? `Check-in: ${day.list.title}` : "Check-in";
  if (!isOpen) return;
  const waiting = new Set(day.waiting().map(({ note }) => note.registration_id));
  const walkIns = (day.list.walkIns ?? 0) + day.waiting().filter(({ kind }) => kind === "walk-ins").length;
  const here = day.people.filter(({ id, present }) => present || waiting.has(id)).length;
  const full = day.list.capacity !== null && here + walkIns > day.list.capacity ? " More than there are places." : "";
  at("counts").textContent = day.list.at
    ? `${here} of ${day.people.length} are here, ${walkIns} without a place.${full}` : "The list is not on this phone yet";
  const wanted = plain(at("search").value.trim()).split(/\s+/).filter(Boolean);
  const names = new Map(day.people.map(({ id, name }) => [id, name]));
  const found = day.people.filter((person) => {
    const text = plain(`${person.name} ${names.get(person.lead) ?? ""}`);
    return wanted.every((word) => text.includes(word));
  });
  at("people").replaceChildren(...found.slice(0, SHOWN).map((person) => personItem(person, waiting)));
  at("more").hidden = found.length <= SHOWN;
  at("more").textContent = `${found.length - SHOWN} more. Type more of the name.`;
  const refused = day.refused();
  at("trouble").hidden = refused.length === 0;
  at("refused").replaceChildren(...refused.map(refusedItem));
}

function tell({ label, outcome, reason }) {
  if (outcome === "refused") say(`✗ ${label}: ${REASONS[reason] ?? reason}`, "wrong");
  else if (outcome === "overruled") say(`✗ ${label}: the organisers corrected this; it stays as they said.`, "wrong");
  else if (outcome === "already_recorded") say(`✓ ${label}: was here already.`, "good");
  else say(`✓ ${label}`, "good");
}

async function checkIn(person) {
  if (person.present || day.isWaiting(person)) {
    say(`✓ ${person.name}: was here already.`, "good");
    return;
  }
  standing = day.add("check-ins", { registration_id: person.id }, person.name);
  say(`✓ ${person.name}`, "good");
  await send();
}

async function checkInByCode(written) {
  const code = readCode(written);
  if (!code) {
    say("Type a code first.", "wrong");
    return;
  }
  const person = day.byCode(code);
  if (person) {
    await checkIn(person);
    return;
  }
  // Somebody may have signed up since the list was taken: the server knows.
  standing = day.add("check-ins", { code: code.slice(0, 20) }, `Code ${code.slice(0, 20)}`);
  say(`Code ${code.slice(0, 20)} is not on this phone’s list. It is asked for as soon as there is a network.`);
  await send();
}

/* Send what waits, and say what became of the one that somebody is standing there for. */
async function send() {
  show();
  if (isSending || !day.token) return;
  isSending = true;
  try {
    const results = await day.send();
    isOffline = false;
    trouble = null;
    const result = results.find(({ nonce }) => nonce === standing);
    if (result) tell(result);
    const known = new Set(day.people.map(({ id }) => id));
    const isNew = ({ outcome, identity }) => identity && outcome !== "refused" && !known.has(identity);
    if (results.some(isNew)) await day.refresh();
  } catch (failure) {
    explain(failure);
  } finally {
    isSending = false;
    show();
  }
  if (!isOffline && !trouble && day.waiting().length) await send();
}

async function refresh() {
  if (!day.token || document.hidden) return;
  try {
    await day.refresh();
    isOffline = false;
    trouble = null;
  } catch (failure) {
    explain(failure);
  }
  show();
}

function explain(failure) {
  if (failure instanceof NotReached) {
    isOffline = true;
  } else if (failure instanceof TokenNeeded) {
    trouble = failure.message === "403" ? "This activity is not yours to check in." : "This token is not valid any more.";
    day.token = null;
    at("enter").hidden = false;
    at("token").focus();
  } else if (failure instanceof NotAnswered) {
    trouble = failure.message === "404" ? "There is no such activity." : "The server is busy; this page tries again.";
  } else {
    throw failure;
  }
  if (trouble) at("line").textContent = trouble;
}

async function enter(token) {
  day.token = token;
  trouble = null;
  await refresh();
  if (!day.token) at("line").textContent = trouble;
  else await send();
}

async function scan() {
  if (scanning) {
    scanning.getTracks().forEach((track) => track.stop());
    scanning = null;
    at("camera").hidden = true;
    at("scan").textContent = "Scan with the camera";
    return;
  }
  try {
    scanning = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    say("The camera can’t be used. Type the code.", "wrong");
    return;
  }
  at("scan").textContent = "Stop the camera";
  at("camera").srcObject = scanning;
  at("camera").hidden = false;
  await at("camera").play();
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  let last = "";
  let since = 0;
  while (scanning) {
    const [seen] = await detector.detect(at("camera")).catch(() => []);
    if (seen && (seen.rawValue !== last || Date.now() - since > 5_000)) {
      [last, since] = [seen.rawValue, Date.now()];
      navigator.vibrate?.(80);
      await checkInByCode(seen.rawValue);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

at("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = at("token").value.trim();
  at("token").value = "";
  if (token) enter(token);
});
at("by-code").addEventListener("submit", (event) => {
  event.preventDefault();
  const { value } = at("code");
  at("code").value = "";
  checkInByCode(value);
});
at("search").addEventListener("input", show);
at("walk-ins").addEventListener("click", ({ target }) => {
  const each = target.dataset?.class;
  if (!each) return;
  const label = `${CLASSES[each]} without a place`;
  standing = day.add("walk-ins", { participant_class: each }, label);
  say(`✓ ${label}`, "good");
  send();
});
at("leave").addEventListener("click", () => {
  day.leave();
  tabs.postMessage("leave");
  show();
});
at("scan").addEventListener("click", scan);

/* A code that a phone's own camera read opens another tab: it asks the one that is open for the token. */
tabs.addEventListener("message", ({ data }) => {
  if (data === "token?" && day.token) tabs.postMessage({ token: day.token });
  else if (data === "leave") { day.leave(); show(); }
  else if (data?.token && !day.token) enter(data.token);
});

at("scan").hidden = !("BarcodeDetector" in window && navigator.mediaDevices);
if (location.hash.length > 1) {
  // A tap is still needed: opening an address must not check anybody in.
  at("code").value = decodeURIComponent(location.hash.slice(1)).slice(0, 20);
  history.replaceState(null, "", location.pathname);
}
navigator.serviceWorker?.register(new URL("../../check-in-worker.js", location.href));
addEventListener("online", () => send().then(refresh));
document.addEventListener("visibilitychange", () => send().then(refresh));
setInterval(() => { if (day.waiting().length) send(); }, 3_000);
setInterval(refresh, 120_000);
show();
if (day.token) refresh().then(() => send());
else tabs.postMessage("token?");
