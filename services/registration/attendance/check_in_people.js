/* The list of people on the check-in page, what can be done about each, and its words. */

const TEXTS = JSON.parse(document.getElementById("texts").textContent);
const SHOWN = 40;
const CLASSES = ["international", "local", "esn_volunteer"];

/* A text of the page's language, with what it speaks of. */
export function t(name, facts = {}) {
  return (TEXTS[name] ?? name).replace(/\{(\w+)\}/g, (_, field) => facts[field]);
}

export function reasonText(reason) {
  return t(`refused_${reason}`);
}

export function at(id) {
  return document.getElementById(id);
}

export function element(name, text, more = {}) {
  const made = Object.assign(document.createElement(name), more);
  made.textContent = text;
  return made;
}

function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

function state(person, isHere, isWaiting) {
  if (isHere) return t(isWaiting ? "here_unsent" : "here");
  return t(person.isNoShow ? "no_show" : "not_here");
}

function button(text, act, more = {}) {
  const made = element("button", text, { type: "button", ...more });
  made.addEventListener("click", act);
  return made;
}

/* Bring a list to what it has to show, and leave alone what is there already: an item that is replaced between the
   moment a finger touches it and the moment it lets go loses the tap. `wanted`: [key, what it shows, how it is made]. */
function settle(list, wanted) {
  const keys = new Set(wanted.map(([key]) => key));
  const had = new Map(Array.from(list.children, (item) => [item.key, item]));
  had.forEach((item, key) => { if (!keys.has(key)) item.remove(); });
  wanted.forEach(([key, facts, make], place) => {
    const old = had.get(key);
    const shows = JSON.stringify(facts);
    const item = old?.shows === shows ? old : Object.assign(make(), { key, shows });
    if (old && old !== item) old.replaceWith(item);
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
}

/* A person: tapped to check them in, and then to take that back or to say for how many hours they stayed. */
function personItem(person, { lead, isHere, isWaiting, acts }) {
  const told = [t(person.class), lead && t("with", { name: lead }), state(person, isHere, isWaiting)];
  if (isHere && person.hours !== null) told.push(`${Number(person.hours).toLocaleString(document.documentElement.lang)} h`);
  const who = button(person.name, () => acts.checkIn(person.id), { disabled: isHere, id: `person-${person.id}` });
  who.append(element("small", told.filter(Boolean).join(" · ")));
  const item = document.createElement("li");
  item.append(who);
  if (isHere) {
    const pair = element("div", "", { className: "pair" });
    for (const [name, act] of [["undo", acts.takeBack], ["hours", acts.askHours]]) {
      const more = button(t(name), () => act(person.id), { className: "plain" });
      more.setAttribute("aria-describedby", who.id);
      pair.append(more);
    }
    item.append(pair);
  }
  return item;
}

/* Those whose name, or the name of whoever brings them along, holds every word that was typed. */
export function showPeople(day, acts) {
  const wanted = plain(at("search").value.trim()).split(/\s+/).filter(Boolean);
  const names = new Map(day.people.map(({ id, name }) => [id, name]));
  const found = day.people.filter((person) => {
    const text = plain(`${person.name} ${names.get(person.lead) ?? ""}`);
    return wanted.every((word) => text.includes(word));
  });
  const changes = day.changes();
  settle(at("people"), found.slice(0, SHOWN).map((person) => {
    const lead = names.get(person.lead);
    const isWaiting = changes.has(person.id);
    const isHere = changes.get(person.id) ?? person.present;
    return [person.id, [person, lead, isHere, isWaiting], () => personItem(person, { lead, isHere, isWaiting, acts })];
  }));
  at("more").hidden = found.length <= SHOWN;
  at("more").textContent = t("more", { number: found.length - SHOWN });
}

export function showRefused(day, again) {
  const refused = day.refused();
  at("trouble").hidden = refused.length === 0;
  settle(at("refused"), refused.map(({ label, reason, nonce }) => [nonce, [label, reason], () => {
    const item = element("li", `${label}: ${reasonText(reason)}`);
    item.append(button(t("dismiss"), () => { day.dismiss(nonce); again(); }, { className: "plain" }));
    return item;
  }]));
}

/* Of each class in which somebody came without a place, the last one can be taken back, whichever phone told of them. */
export function showWalkIns(day, takeBack) {
  const classes = CLASSES.filter((each) => day.lastWalkIn(each));
  const label = (each) => t("undo_of", { name: t("walk_in", { who: t(each) }) });
  settle(at("take-back"), classes.map((each) => [each, [], () => {
    return button(label(each), () => takeBack(each), { className: "plain" });
  }]));
}

/* Ask for how many hours somebody stayed; `keep` gets them if they are said. */
export function askHours(person, keep) {
  at("hours-of").textContent = t("hours_of", { name: person.name });
  at("hours-number").value = person.hours === null ? "" : String(Number(person.hours));
  at("hours-form").onsubmit = (event) => {
    event.preventDefault();
    at("hours").close();
    keep(at("hours-number").valueAsNumber);
  };
  at("hours-close").onclick = () => at("hours").close();
  at("hours").showModal();
}
