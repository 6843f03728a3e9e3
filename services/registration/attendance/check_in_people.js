/* The list of people on the check-in page, what can be done about each, and its words. */

const TEXTS = JSON.parse(document.getElementById("texts").textContent);
const SHOWN = 40;

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

/* A person: tapped to check them in, and then, by organisers, to take that back or to say for how many hours they stayed. */
function personItem(person, { changes, names, acts }) {
  const isHere = changes.get(person.id) ?? person.present;
  const lead = names.get(person.lead);
  const told = [t(person.class), lead && t("with", { name: lead }), state(person, isHere, changes.has(person.id))];
  if (isHere && person.hours !== null) told.push(`${Number(person.hours).toLocaleString(document.documentElement.lang)} h`);
  const who = button(person.name, () => acts.checkIn(person), { disabled: isHere, id: `person-${person.id}` });
  who.append(element("small", told.filter(Boolean).join(" · ")));
  const item = document.createElement("li");
  item.append(who);
  if (isHere && acts.takeBack) {
    const pair = element("div", "", { className: "pair" });
    for (const [name, act] of [["undo", acts.takeBack], ["hours", acts.askHours]]) {
      const more = button(t(name), () => act(person), { className: "plain" });
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
  const about = { changes: day.changes(), names, acts };
  at("people").replaceChildren(...found.slice(0, SHOWN).map((person) => personItem(person, about)));
  at("more").hidden = found.length <= SHOWN;
  at("more").textContent = t("more", { number: found.length - SHOWN });
}

export function showRefused(day, again) {
  const refused = day.refused();
  at("trouble").hidden = refused.length === 0;
  at("refused").replaceChildren(...refused.map(({ label, reason, nonce }) => {
    const item = element("li", `${label}: ${reasonText(reason)}`);
    item.append(button(t("dismiss"), () => { day.dismiss(nonce); again(); }, { className: "plain" }));
    return item;
  }));
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
