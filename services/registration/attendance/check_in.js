/* The check-in page: by camera, by code or from the list, with or without a network. */
import { askHours, at, reasonText, showPeople, showRefused, showWalkIns, t } from "./check-in-people.js";
import { NotAnswered, NotReached, SESSION, TokenNeeded, isPass } from "./check-in-server.js";
import { Day, readCode } from "./check-in-store.js";

const CLOCK_MAY_DIFFER_MS = 5 * 60_000;

const activity = location.pathname.split("/").at(-2);
const day = new Day(activity, new URL("../../v1/", location.href));
const tabs = new BroadcastChannel("check-in");
const CODE = "check-in:code";
const LEAVING = "check-in:leaving";
let isOffline = false;
let isSending = false;
let trouble = null;
let scanning = null;
/* The check-in of whoever is standing there. */
let standing = null;
/* What takes the last tap back. */
let undo = null;

function say(text, kind = "") {
  at("said").textContent = text;
  at("said").className = kind;
}

function line() {
  const waiting = day.waiting().length;
  const told = [trouble ?? t(isOffline ? "offline" : "online")];
  told.push(waiting ? t("unsent", { number: waiting }) : t("sent"));
  if (Math.abs(day.server.skew) > CLOCK_MAY_DIFFER_MS) told.push(t("clock"));
  return told.join(" ");
}

function counts() {
  if (!day.list.at) return t("no_list");
  const changes = day.changes();
  const here = day.people.filter(({ id, present }) => changes.get(id) ?? present).length;
  const walkIns = day.walkIns();
  const told = t("counts", { here, people: day.people.length, walk_ins: walkIns });
  return day.list.capacity !== null && here + walkIns > day.list.capacity ? `${told} ${t("over")}` : told;
}

function show() {
  const isOpen = day.token !== null;
  at("enter").hidden = isOpen;
  at("day").hidden = !isOpen;
  at("line").textContent = isOpen || day.waiting().length ? line() : "";
  at("title").textContent = isOpen && day.list.title ? `${t("title")}: ${day.list.title}` : t("title");
  if (!isOpen) return;
  at("counts").textContent = counts();
  // What was said of somebody is put right by organisers.
  at("undo").hidden = undo === null || day.isLent;
  at("take-back").hidden = day.isLent;
  at("ending").hidden = day.isLent;
  showWalkIns(day, takeBackWalkIn);
  // What is shown of somebody may be older than what is known of them now.
  const now = (act) => (id) => act(day.people.find((each) => each.id === id));
  const asked = (person) => askHours(person, (hours) => giveHours(person, hours));
  const rest = day.isLent ? {} : { takeBack: now(takeBack), askHours: now(asked) };
  showPeople(day, { checkIn: now(checkIn), ...rest });
  showRefused(day, show);
}

function tell({ label, outcome, reason }) {
  if (outcome === "refused") say(`✗ ${label}: ${reasonText(reason)}`, "wrong");
  else if (outcome === "overruled") say(`✗ ${t("overruled", { name: label })}`, "wrong");
  else if (outcome === "already_recorded") say(`✓ ${t("already", { name: label })}`, "good");
  else say(`✓ ${label}`, "good");
}

async function checkIn(person) {
  if (day.isHere(person)) {
    say(`✓ ${t("already", { name: person.name })}`, "good");
    return;
  }
  standing = day.arrive(person, t("reason_here"));
  say(`✓ ${person.name}`, "good");
  undo = () => takeBack(person);
  await send();
}

/* A slip of the finger: whoever was tapped is not here, and can be checked in again. */
async function takeBack({ id, name }) {
  const person = day.people.find((each) => each.id === id);
  if (person) day.takeBack(person, t("reason_undone"));
  standing = undo = null;
  say(t("undone", { name }));
  await send();
}

async function takeBackWalkIn(each) {
  const label = t("walk_in", { who: t(each) });
  if (!day.takeBackWalkIn(each, label, t("reason_undone"))) return;
  standing = undo = null;
  say(t("undone", { name: label }));
  await send();
}

async function giveHours(person, hours) {
  day.giveHours(person, hours, t("reason_hours"));
  standing = undo = null;
  say(`✓ ${t("hours_kept", { name: person.name, hours: hours.toLocaleString(document.documentElement.lang) })}`, "good");
  await send();
}

async function checkInByCode(written) {
  const code = readCode(written);
  if (!code) {
    say(t("type_code"), "wrong");
    return;
  }
  const person = day.byCode(code);
  if (person) {
    await checkIn(person);
    return;
  }
  // Somebody may have signed up since the list was taken: the server knows.
  const shown = code.slice(0, 20);
  standing = day.add("check-ins", { code: shown }, t("code_of", { code: shown }));
  undo = null;
  say(t("code_unknown", { code: shown }));
  await send();
}

async function markNoShows() {
  // Whoever was checked in before is not what this is about.
  standing = null;
  try {
    const many = await day.markNoShows();
    say(many === null ? t("not_over") : t("no_shows_marked", { number: many }), many === null ? "wrong" : "good");
    await day.refresh();
  } catch (failure) {
    explain(failure);
    if (isOffline) say(t("needs_network"), "wrong");
  }
  show();
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
    const isNew = ({ outcome, identity, kind }) =>
      kind === "corrections" || (identity && outcome !== "refused" && !known.has(identity));
    if (results.some(isNew)) await day.refresh();
  } catch (failure) {
    explain(failure);
  } finally {
    isSending = false;
    show();
  }
  if (!isOffline && !trouble && day.sendable().length) await send();
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

function kindOf(token) {
  if (isPass(token)) return "pass";
  return token === SESSION ? "session" : "401";
}

function explain(failure) {
  if (failure instanceof NotReached) {
    isOffline = true;
  } else if (failure instanceof TokenNeeded) {
    trouble = t(`trouble_${failure.message === "401" ? kindOf(day.token) : failure.message}`);
    day.token = null;
    at("enter").hidden = false;
    at("token").focus();
  } else if (failure instanceof NotAnswered) {
    trouble = t(failure.message === "404" ? "trouble_404" : "trouble_busy");
  } else {
    throw failure;
  }
  if (trouble) at("line").textContent = trouble;
}

/* Whoever signed in needs no token. What somebody entered meanwhile stands. */
async function enterSignedIn() {
  if (localStorage.getItem(LEAVING)) await signOut();
  if (day.token || localStorage.getItem(LEAVING)) return;
  const status = await day.server.signedIn(`activities/${activity}/attendance`);
  if (day.token) return;
  if (status === 200) await enter(SESSION);
  else if (status === 403) at("line").textContent = t("trouble_403");
}

/* Without a network it is done as soon as there is one, and nobody is let in by what is left of it until then. */
async function signOut() {
  localStorage.setItem(LEAVING, "1");
  try {
    const reply = await fetch(new URL("../../sign-out", location.href), { method: "POST", credentials: "same-origin" });
    if (reply.ok) localStorage.removeItem(LEAVING);
  } catch {
    isOffline = true;
  }
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
    at("scan").textContent = t("scan");
    return;
  }
  try {
    scanning = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    say(t("no_camera"), "wrong");
    return;
  }
  at("scan").textContent = t("scan_stop");
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
  const label = t("walk_in", { who: t(each) });
  standing = day.add("walk-ins", { participant_class: each }, label);
  undo = () => takeBackWalkIn(each);
  say(`✓ ${label}`, "good");
  send();
});
at("undo").addEventListener("click", () => undo?.());
at("no-shows").addEventListener("click", markNoShows);
at("leave").addEventListener("click", () => {
  const isSignedIn = day.token === SESSION;
  day.leave(t("somebody"));
  tabs.postMessage("leave");
  undo = null;
  show();
  if (isSignedIn) signOut();
});
at("scan").addEventListener("click", scan);

/* A code that a phone's own camera read opens another tab: it asks the one that is open for the token. */
tabs.addEventListener("message", ({ data }) => {
  if (data === "token?" && day.token) tabs.postMessage({ token: day.token, activity });
  else if (data === "leave") { day.leave(t("somebody")); show(); }
  else if (data?.token && !day.token && (data.activity === activity || !isPass(data.token))) enter(data.token);
});

at("scan").hidden = !("BarcodeDetector" in window && navigator.mediaDevices);
const behind = location.hash.slice(1);
if (behind) history.replaceState(null, "", location.pathname + location.search);
const lent = isPass(behind) ? behind : null;
// A tap is still needed: opening an address must not check anybody in.
at("code").value = (lent ? "" : behind && decodeURIComponent(behind).slice(0, 20)) || sessionStorage.getItem(CODE) || "";
sessionStorage.removeItem(CODE);
const signIn = at("sign-in");
if (signIn) {
  signIn.href = `../../sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
  signIn.addEventListener("click", () => {
    localStorage.removeItem(LEAVING);
    sessionStorage.setItem(CODE, at("code").value);
  });
}
/* A page that was asked for before its worker was there did not pass through it: it is kept, in its own language. */
navigator.serviceWorker?.ready.then(({ active }) => active.postMessage("keep"));
navigator.serviceWorker?.register(new URL("../../check-in-worker.js", location.href));
addEventListener("online", () => (localStorage.getItem(LEAVING) ? signOut() : send().then(refresh)));
document.addEventListener("visibilitychange", () => send().then(refresh));
setInterval(() => { if (day.sendable().length) send(); }, 3_000);
setInterval(refresh, 120_000);
show();
if (lent) {
  enter(lent);
} else if (day.token) {
  refresh().then(() => send());
} else {
  tabs.postMessage("token?");
  if (signIn) enterSignedIn();
}
