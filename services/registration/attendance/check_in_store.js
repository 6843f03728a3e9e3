/* What the check-in page keeps on the device for one activity, and how it is sent: nothing is lost, nothing doubled.

   Every check-in that is not sent yet has a place of its own in localStorage, under its nonce, so that tabs don't
   overwrite each other's. It is removed only when the server has said what became of it; telling it twice changes
   nothing. The token is in sessionStorage only. */

const PREFIX = "check-in:";
const KEPT_HOURS_AFTER_THE_END = 48;
const AT_ONCE = 100;
const SEATED = new Set(["unconfirmed", "offered", "confirmed"]);
const READ_AS = { O: "0", I: "1", L: "1" };

export class TokenNeeded extends Error {}
export class NotReached extends Error {}
export class NotAnswered extends Error {}

/* A code as it is stored, from a scanned address, or from how people write it. */
export function readCode(written) {
  const typed = written.includes("#") ? written.slice(written.lastIndexOf("#") + 1) : written;
  return typed.trim().toUpperCase().replace(/[-\s]/g, "").replace(/[OIL]/g, (letter) => READ_AS[letter]);
}

export function nonce() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Day {
  constructor(activity, api) {
    this.activity = activity;
    this.api = api;
    this.skew = 0;
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

  waiting() {
    return this.#all("todo");
  }

  refused() {
    return this.#all("refused");
  }

  isWaiting(person) {
    return this.waiting().some(({ note }) => note.registration_id === person.id);
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

  dismiss(one) {
    localStorage.removeItem(this.#key(`refused:${one}`));
  }

  /* Send what waits; answers what became of each. */
  async send() {
    const results = [];
    for (const kind of ["check-ins", "walk-ins"]) {
      const waiting = this.waiting().filter((each) => each.kind === kind);
      for (let from = 0; from < waiting.length; from += AT_ONCE) {
        results.push(...(await this.#sendSome(kind, waiting.slice(from, from + AT_ONCE))));
      }
    }
    return results;
  }

  async #sendSome(kind, some) {
    const reply = await this.#ask(`activities/${this.activity}/${kind}`, some.map(({ note }) => note));
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

  #took(one, { outcome, reason, registration_id: identity }) {
    if (outcome === "refused") {
      this.#write(`refused:${one.note.nonce}`, { label: one.label, reason, nonce: one.note.nonce });
    } else {
      const person = this.people.find(({ id }) => id === identity);
      if (person && outcome !== "overruled") person.present = true;
      if (one.kind === "walk-ins" && outcome === "recorded") this.list.walkIns = (this.list.walkIns ?? 0) + 1;
      this.#write("list", this.list);
    }
    localStorage.removeItem(this.#key(`todo:${one.note.nonce}`));
    return { label: one.label, nonce: one.note.nonce, outcome, reason, identity };
  }

  /* Take the list anew: of those who have a place, what is needed at the door and nothing more. */
  async refresh() {
    const day = await this.#readJSON(`activities/${this.activity}/attendance`);
    const people = [];
    let address = `activities/${this.activity}/registrations?limit=200`;
    while (address) {
      const page = await this.#readJSON(address);
      for (const each of page.items) {
        if (!SEATED.has(each.state)) continue;
        people.push({
          id: each.id, lead: each.lead_id, code: each.code, name: `${each.given_name} ${each.family_name}`,
          class: each.participant_class, present: each.presence === "present",
        });
      }
      address = page.next && new URL(page.next).pathname.split("/v1/")[1] + new URL(page.next).search;
    }
    people.sort((one, other) => one.name.localeCompare(other.name));
    const ends = Date.parse(day.ends_at ?? day.starts_at ?? new Date().toISOString());
    const until = Math.max(ends, Date.now()) + KEPT_HOURS_AFTER_THE_END * 3_600_000;
    this.list = { title: day.title, capacity: day.capacity, walkIns: day.walk_ins, people, until, at: Date.now() };
    this.#write("list", this.list);
  }

  /* Delete what is known of people; what is not sent yet stays, and names nobody. */
  leave() {
    this.token = null;
    for (const name of this.#names("refused:")) localStorage.removeItem(name);
    localStorage.removeItem(this.#key("list"));
    for (const { kind, note } of this.waiting()) this.#write(`todo:${note.nonce}`, { kind, note, label: "Somebody" });
    this.list = { title: null, people: [], at: null };
  }

  async #readJSON(address) {
    const reply = await this.#ask(address);
    if (!reply.ok) throw new NotAnswered(reply.status);
    return reply.json();
  }

  async #ask(address, body) {
    const headers = { Authorization: `Bearer ${this.token}` };
    if (body) headers["Content-Type"] = "application/json";
    let reply;
    try {
      reply = await fetch(new URL(address, this.api), {
        method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), cache: "no-store",
        credentials: "omit", signal: AbortSignal.timeout?.(20_000),
      });
    } catch {
      throw new NotReached();
    }
    if (reply.status === 401 || reply.status === 403) throw new TokenNeeded(reply.status);
    const said = Date.parse(reply.headers.get("date") ?? "");
    if (said) this.skew = Date.now() - said;
    return reply;
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
