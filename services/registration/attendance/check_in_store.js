/* What the check-in page keeps on the device for one activity, and how it is sent: nothing is lost, nothing doubled.

   Every check-in and every correction that is not sent yet has a place of its own in localStorage, under its nonce, so that tabs don't
   overwrite each other's. It is removed only when the server has said what became of it; telling it twice changes
   nothing. The token is in sessionStorage only. */

import { NotAnswered, Server } from "./check-in-server.js";

const PREFIX = "check-in:";
const KEPT_HOURS_AFTER_THE_END = 48;
const AT_ONCE = 100;
const SEATED = new Set(["unconfirmed", "offered", "confirmed"]);
const READ_AS = { O: "0", I: "1", L: "1" };

/* A code as it is stored, from a scanned address, or from how people write it. */
export function readCode(written) {
  const typed = written.includes("#") ? written.slice(written.lastIndexOf("#") + 1) : written;
  return typed.trim().toUpperCase().replace(/[-\s]/g, "").replace(/[OIL]/g, (letter) => READ_AS[letter]);
}

export function nonce() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/* Whom something that waits is about. */
function subject(note) {
  return note.registration_id ?? note.subject;
}

export class Day {
  constructor(activity, api) {
    this.activity = activity;
    this.server = new Server(api, () => this.token);
    this.sending = new Set();
    this.#forgetOld();
    this.list = this.#read("list") ?? { title: null, people: [], at: null };
  }

  get token() {
    return sessionStorage.getItem(`${PREFIX}token`);
  }

  set token(value) {
    if (value === null) sessionStorage.removeItem(`${PREFIX}token`);
    else sessionStorage.setItem(`${PREFIX}token`, value);
  }

  get people() {
    return this.list.people;
  }

  /* What is not sent yet, in the order in which it was done. */
  waiting() {
    return this.#all("todo").sort((one, other) => one.note.at.localeCompare(other.note.at));
  }

  /* What the last thing that waits about each person, or walk-in, says of them. */
  changes() {
    return new Map(this.waiting().map(({ note }) => [subject(note), note.present ?? true]));
  }

  refused() {
    return this.#all("refused");
  }

  isHere(person) {
    return this.changes().get(person.id) ?? person.present;
  }

  byCode(code) {
    return this.people.find((person) => person.code === code);
  }

  /* Remember a check-in, or somebody without a place, until it is sent. */
  add(kind, what, label) {
    const note = { ...what, at: new Date().toISOString(), nonce: nonce() };
    this.#write(`todo:${note.nonce}`, { kind, note, label });
    return note.nonce;
  }

  /* Somebody is here; answers the nonce of what is to be sent, if anything has to be. */
  arrive(person, reason) {
    this.#drop(person.id, false);
    if (this.isHere(person)) return null;
    // No check-in stands above a correction, so that it takes another one.
    const isCorrected = person.corrected || this.waiting().some(({ note }) => note.subject === person.id);
    return isCorrected
      ? this.#correct(person.id, { present: true, hours: null, reason }, person.name)
      : this.add("check-ins", { registration_id: person.id }, person.name);
  }

  /* Somebody is not here after all. What is not on its way yet is just not sent. */
  takeBack(person, reason) {
    this.#drop(person.id, true);
    return this.isHere(person) ? this.#correct(person.id, { present: false, hours: null, reason }, person.name) : null;
  }

  giveHours(person, hours, reason) {
    return this.#correct(person.id, { present: true, hours, reason }, person.name);
  }

  /* Who of a class came without a place last: not sent yet, or told by whichever phone. */
  lastWalkIn(each) {
    const isMeant = ({ kind, note }) => kind === "walk-ins" && note.participant_class === each;
    const unsent = this.waiting().filter((one) => isMeant(one) && !this.sending.has(one.note.nonce)).at(-1);
    return unsent ?? this.#came().filter((one) => one.class === each).at(-1) ?? null;
  }

  takeBackWalkIn(each, label, reason) {
    const last = this.lastWalkIn(each);
    if (last?.note) localStorage.removeItem(this.#key(`todo:${last.note.nonce}`));
    else if (last) this.#correct(last.id, { present: false, hours: null, reason }, label);
    return last !== null;
  }

  /* How many came without a place, with what is not sent yet. */
  walkIns() {
    return this.#came().length + this.waiting().filter(({ kind }) => kind === "walk-ins").length;
  }

  /* Who came without a place as far as the server has said, but for those who are about to be taken back. */
  #came() {
    const gone = new Set(this.waiting().map(({ note }) => note.subject));
    return (this.list.came ?? []).filter(({ id }) => !gone.has(id));
  }

  #correct(identity, said, label) {
    return this.add("corrections", { subject: identity, ...said }, label);
  }

  #drop(identity, present) {
    for (const { note } of this.waiting()) {
      const isMeant = subject(note) === identity && (note.present ?? true) === present;
      if (isMeant && !this.sending.has(note.nonce)) localStorage.removeItem(this.#key(`todo:${note.nonce}`));
    }
  }

  dismiss(one) {
    localStorage.removeItem(this.#key(`refused:${one}`));
  }

  /* Send what waits; answers what became of each. */
  async send() {
    const results = [];
    for (const kind of ["check-ins", "walk-ins"]) {
      const waiting = this.waiting().filter((each) => each.kind === kind);
      for (let from = 0; from < waiting.length; from += AT_ONCE) {
        results.push(...(await this.#sending(waiting.slice(from, from + AT_ONCE), (some) => this.#sendSome(kind, some))));
      }
    }
    for (const one of this.waiting().filter((each) => each.kind === "corrections")) {
      const told = () => this.server.correct(one.note);
      results.push(this.#took(one, await this.#sending([one], told)));
    }
    return results;
  }

  /* What is on its way can't be dropped any more, only corrected. */
  async #sending(some, send) {
    some.forEach(({ note }) => this.sending.add(note.nonce));
    try {
      return await send(some);
    } finally {
      some.forEach(({ note }) => this.sending.delete(note.nonce));
    }
  }

  /* Mark who is not here as not come; answers how many, or null where the activity is not over. */
  async markNoShows() {
    const reply = await this.server.ask(`activities/${this.activity}/no-shows`, {});
    if (reply.status === 409) return null;
    if (!reply.ok) throw new NotAnswered(reply.status);
    return (await reply.json()).marked.length;
  }

  async #sendSome(kind, some) {
    const reply = await this.server.ask(`activities/${this.activity}/${kind}`, some.map(({ note }) => note));
    if (reply.status === 422) {
      // One that the server does not understand must not hold up the others.
      if (some.length === 1) return [this.#took(some[0], { outcome: "refused", reason: "not_understood" })];
      const each = [];
      for (const one of some) each.push(...(await this.#sendSome(kind, [one])));
      return each;
    }
    if (!reply.ok) throw new NotAnswered(reply.status);
    const { items } = await reply.json();
    return some.map((one, number) => this.#took(one, items[number]));
  }

  #took(one, { outcome, reason, registration_id: identity, id }) {
    if (outcome === "refused") {
      this.#write(`refused:${one.note.nonce}`, { label: one.label, reason, nonce: one.note.nonce });
    } else {
      const person = this.people.find(({ id }) => id === identity);
      if (person && outcome !== "overruled") Object.assign(person, { present: one.note.present ?? true, isNoShow: false });
      if (person && one.kind === "corrections") Object.assign(person, { corrected: true, hours: one.note.hours });
      if (person?.present) person.hours ??= this.list.planned ?? null;
      const others = (this.list.came ?? []).filter((each) => each.id !== (id ?? one.note.subject));
      if (one.kind === "walk-ins" && outcome !== "overruled") others.push({ id, class: one.note.participant_class });
      this.list.came = others;
      this.#write("list", this.list);
    }
    localStorage.removeItem(this.#key(`todo:${one.note.nonce}`));
    return { kind: one.kind, label: one.label, nonce: one.note.nonce, outcome, reason, identity };
  }

  /* Take the list anew: of those who have a place, what is needed at the door and nothing more. */
  async refresh() {
    const day = await this.server.read(`activities/${this.activity}/attendance`);
    const people = [];
    for await (const each of this.#each("registrations")) {
      if (!SEATED.has(each.state)) continue;
      people.push({
        id: each.id, lead: each.lead_id, code: each.code, name: `${each.given_name} ${each.family_name}`,
        class: each.participant_class, present: each.presence === "present", isNoShow: each.presence === "no_show",
        hours: each.hours, corrected: each.corrected,
      });
    }
    const came = [];
    for await (const each of this.#each("walk-ins")) {
      if (each.present) came.push({ id: each.id, class: each.participant_class });
    }
    people.sort((one, other) => one.name.localeCompare(other.name));
    const ends = Date.parse(day.ends_at ?? day.starts_at ?? new Date().toISOString());
    const until = Math.max(ends, Date.now()) + KEPT_HOURS_AFTER_THE_END * 3_600_000;
    this.list = {
      title: day.title, capacity: day.capacity, planned: day.planned_duration, people, came, until, at: Date.now(),
    };
    this.#write("list", this.list);
  }

  /* Every item of a list of the activity, page by page. */
  async *#each(name) {
    let address = `activities/${this.activity}/${name}?limit=200`;
    while (address) {
      const page = await this.server.read(address);
      yield* page.items;
      address = page.next && new URL(page.next).pathname.split("/v1/")[1] + new URL(page.next).search;
    }
  }

  /* Delete what is known of people; what is not sent yet stays, and names nobody. */
  leave(somebody) {
    this.token = null;
    for (const name of this.#names("refused:")) localStorage.removeItem(name);
    localStorage.removeItem(this.#key("list"));
    for (const { kind, note } of this.waiting()) this.#write(`todo:${note.nonce}`, { kind, note, label: somebody });
    this.list = { title: null, people: [], at: null };
  }

  #key(name) {
    return `${PREFIX}${this.activity}:${name}`;
  }

  #names(prefix) {
    const begin = this.#key(prefix);
    return Object.keys(localStorage).filter((name) => name.startsWith(begin)).sort();
  }

  #all(prefix) {
    return this.#names(`${prefix}:`)
      .map((name) => JSON.parse(localStorage.getItem(name)))
      .filter((each) => each !== null);
  }

  #read(name) {
    return JSON.parse(localStorage.getItem(this.#key(name)));
  }

  #write(name, value) {
    localStorage.setItem(this.#key(name), JSON.stringify(value));
  }

  /* Of every activity that was over long enough ago, nothing of anybody stays on the device. */
  #forgetOld() {
    for (const name of Object.keys(localStorage)) {
      if (!name.startsWith(PREFIX) || !name.endsWith(":list")) continue;
      if (!(JSON.parse(localStorage.getItem(name))?.until > Date.now())) localStorage.removeItem(name);
    }
  }
}
