/*
 * Upcoming activities with their live places, on any website:
 *
 *   <script src="https://…/activities/widget.js" async></script>
 *   <socialerasmus-activities section="IT-MILA-STA" lang="it" limit="10"></socialerasmus-activities>
 *
 * Its attributes and custom properties are listed at /activities/demo. It stores nothing, sends no cookie, and needs of
 * a Content-Security-Policy only script-src and connect-src.
 */
(() => {
  "use strict";
  const NAME = "socialerasmus-activities";
  if (customElements.get(NAME)) return;

  const REFRESH_MS = 60_000;
  const GIVE_UP_MS = 15_000;
  const MOST_PAGES = 5;
  const FILTERS = ["section", "edition", "country", "area", "cause", "kind", "programme"];
  const source = document.currentScript?.src ?? document.querySelector('script[src*="/activities/widget.js"]')?.src;

  const LANGUAGES = ["en", "es", "it"]; // The columns of the texts.
  const TEXTS = {
    loading: ["Loading activities…", "Cargando actividades…", "Caricamento delle attività…"],
    empty: ["No activities are planned.", "No hay actividades previstas.", "Nessuna attività in programma."],
    failed: [
      "The activities could not be loaded.",
      "No se han podido cargar las actividades.",
      "Non è stato possibile caricare le attività.",
    ],
    retry: ["Try again", "Reintentar", "Riprova"],
    count: [
      { one: "{n} activity", other: "{n} activities" },
      { one: "{n} actividad", other: "{n} actividades" },
      { other: "{n} attività" },
    ],
    when: ["When", "Cuándo", "Quando"],
    where: ["Where", "Dónde", "Dove"],
    who: ["Organised by", "Organiza", "Organizza"],
    places: ["Places", "Plazas", "Posti"],
    online: ["Online", "En línea", "Online"],
    sample: ["Example", "Ejemplo", "Esempio"],
    free: [
      { other: "{n} of {of} places free" },
      { one: "{n} plaza libre de {of}", other: "{n} plazas libres de {of}" },
      { one: "{n} posto libero su {of}", other: "{n} posti liberi su {of}" },
    ],
    capacity: [
      { one: "{n} place", other: "{n} places" },
      { one: "{n} plaza", other: "{n} plazas" },
      { one: "{n} posto", other: "{n} posti" },
    ],
    unlimited: ["Unlimited places", "Plazas ilimitadas", "Posti illimitati"],
    full: ["Fully booked", "Completo", "Al completo"],
    closed: ["Sign-up is closed", "Inscripción cerrada", "Iscrizioni chiuse"],
    not_offered: ["No sign-up here", "Aquí no hay inscripción", "Qui non ci sono iscrizioni"],
    opens: ["Sign-up opens {at}", "La inscripción se abre: {at}", "Le iscrizioni aprono: {at}"],
    until: ["Sign-up until {at}", "Inscripción hasta: {at}", "Iscrizioni fino a: {at}"],
    signUp: ["Sign up", "Inscribirse", "Iscriviti"],
  };

  const COLOURS = {
    accent: ["#2e3192", "#aab4ff"],
    "on-accent": ["#fff", "#14152e"],
    text: ["#1b1b24", "#f1f1f6"],
    muted: ["#54545f", "#b9b9c6"],
    background: ["#fff", "#1d1d26"],
    border: ["#d3d3de", "#44444f"],
  };
  const colours = (pick) =>
    Object.entries(COLOURS).map(([name, pair]) => `--${name}: var(--socialerasmus-${name}, ${pick(pair)});`).join(" ");
  // light-dark() follows the color-scheme that the host page chose here: never dark on a page that is always light.
  const STYLE = `
    :host { ${colours(([light]) => light)}
      --radius: var(--socialerasmus-radius, .75rem); --gap: var(--socialerasmus-gap, 1rem);
      display: block; line-height: 1.45; text-align: start; overflow-wrap: anywhere; }
    @supports (color: light-dark(#fff, #000)) { :host { ${colours((pair) => `light-dark(${pair})`)} } }
    :host([hidden]), [hidden] { display: none !important; }
    * { box-sizing: border-box; margin: 0; padding: 0; }
    .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
      white-space: nowrap; }
    .notice { color: var(--text); background: var(--background); border: 1px solid var(--border);
      border-radius: var(--radius); padding: 1rem 1.25rem; }
    ul { list-style: none; display: grid; gap: var(--gap); align-items: stretch;
      grid-template-columns: repeat(auto-fill, minmax(min(100%, var(--socialerasmus-columns, 18rem)), 1fr)); }
    li { display: flex; flex-direction: column; gap: .5rem; color: var(--text); background: var(--background);
      border: 1px solid var(--border); border-radius: var(--radius); padding: 1rem 1.25rem; }
    .title { font-size: 1.125em; line-height: 1.3; font-weight: 700; }
    .sample { align-self: start; font-size: .8125em; color: var(--muted); border: 1px solid var(--border);
      border-radius: 1em; padding: .0625rem .625rem; }
    dl { display: grid; gap: .25rem; font-size: .9375em; color: var(--muted); }
    .when, .places { color: var(--text); font-weight: 600; }
    .until { color: var(--muted); font-weight: 400; }
    a:any-link { color: var(--accent); text-underline-offset: .2em; display: inline-block; min-height: 24px;
      min-width: 24px; }
    .button { font: inherit; font-weight: 700; min-height: 44px; padding: .5rem 1.25rem; border: 1px solid transparent;
      border-radius: calc(var(--radius) * .75); cursor: pointer; text-decoration: none;
      display: inline-block; background: var(--accent); }
    .button, .button:any-link { color: var(--on-accent); }
    li > .button { align-self: start; margin-block-start: auto; }
    .button:hover { text-decoration: underline; }
    button.button { margin-block-start: .75rem; }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
    @media (prefers-reduced-motion: no-preference) {
      .button { transition: filter .15s; }
      .button:hover { filter: brightness(1.1); }
    }`;

  // A sheet made by script needs no style-src; a browser too old for it shows a plain list.
  const sheet = "adoptedStyleSheets" in Document.prototype ? new CSSStyleSheet() : null;
  sheet?.replaceSync(STYLE);

  /* An element with attributes and children; text goes in as text, whatever is written in it. */
  const make = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
    made.append(...children.filter((child) => child !== null));
    return made;
  };

  /* An address that a click may lead to, or null: javascript: and the like are none. */
  const webAddress = (address) => {
    try {
      const url = new URL(address, document.baseURI);
      return ["http:", "https:"].includes(url.protocol) ? url.href : null;
    } catch {
      return null;
    }
  };

  /* The first language asked for that there are texts in: the nearest `lang`, the page's, the visitor's. */
  const localeOf = (element) => {
    const asked = [element.closest("[lang]")?.lang, document.documentElement.lang, ...(navigator.languages ?? [])];
    for (const tag of asked) {
      try {
        const [locale] = Intl.getCanonicalLocales(tag || []);
        if (locale && LANGUAGES.includes(locale.split("-")[0])) return locale === "en" ? "en-GB" : locale;
      } catch { /* Not a language tag. */ }
    }
    return "en-GB";
  };

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  /* What one element says: its texts, counts in words, and times in the activity's own zone with that zone's name. */
  const speaker = (locale) => {
    const [language] = locale.split("-");
    const text = (key, values = {}) => fill(TEXTS[key][LANGUAGES.indexOf(language)], values);
    const plurals = new Intl.PluralRules(locale);
    const number = new Intl.NumberFormat(locale);
    const date = { day: "numeric", month: "long", year: "numeric" };
    const clock = { hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
    const format = (options, timeZone) => {
      try {
        return new Intl.DateTimeFormat(locale, { ...options, timeZone });
      } catch {
        return new Intl.DateTimeFormat(locale, { ...options, timeZone: "UTC" }); // A zone unknown to this browser.
      }
    };
    return {
      language,
      text,
      counted(key, n, of = 0) {
        const forms = TEXTS[key][LANGUAGES.indexOf(language)];
        return fill(forms[plurals.select(n)] ?? forms.other, { n: number.format(n), of: number.format(of) });
      },
      moment: (key, at, zone) => text(key, { at: format({ ...date, ...clock }, zone).format(new Date(at)) }),
      when({ starts_at: from, ends_at: to, time_zone: zone, date_precision: precision }) {
        const told = format({ weekday: "short", ...date, ...(precision === "time" && clock) }, zone);
        return told.formatRange(new Date(from), new Date(to ?? from));
      },
    };
  };

  const websites = new Map(); // Sections as they are fetched, shared by the elements of a page.

  class SocialErasmusActivities extends HTMLElement {
    static observedAttributes = [...FILTERS, "limit", "lang", "heading-level", "activity-url", "sign-up-url", "api"];

    #status = make("p", { role: "status", class: "notice" });
    #retry = make("button", { type: "button", class: "button", hidden: "" });
    #list = make("ul", { role: "list", tabindex: "-1" });
    #load = 0; // Which load is the present one: what an earlier one still brings is too late.
    #isAwaited = false;
    #isInView = false;
    #shown = new Map();
    #refreshedAt = 0;
    #timer;
    #observer = new IntersectionObserver((entries) => {
      this.#isInView = entries.at(-1).isIntersecting;
      this.#plan();
    });
    #onVisibility = () => this.#plan();

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      if (sheet) root.adoptedStyleSheets = [sheet];
      root.append(this.#status, this.#retry, this.#list);
      this.#retry.addEventListener("click", () => this.#show());
    }

    connectedCallback() {
      this.#observer.observe(this);
      document.addEventListener("visibilitychange", this.#onVisibility);
      this.attributeChangedCallback();
    }

    disconnectedCallback() {
      this.#observer.disconnect();
      document.removeEventListener("visibilitychange", this.#onVisibility);
      this.#load += 1;
      this.#isInView = false;
      this.#plan();
    }

    /* Attributes are often changed one after the other: load once, when that is done. */
    attributeChangedCallback() {
      if (this.#isAwaited || !this.isConnected) return;
      this.#isAwaited = true;
      queueMicrotask(() => {
        this.#isAwaited = false;
        if (this.isConnected) this.#show();
      });
    }

    async #show() {
      const load = (this.#load += 1);
      const speak = speaker(localeOf(this));
      this.#shown.clear();
      this.#plan();
      this.#say(speak, speak.text("loading"));
      this.#retry.textContent = speak.text("retry");
      this.#list.setAttribute("aria-busy", "true");
      try {
        const activities = await this.#upcoming(speak.language);
        if (load !== this.#load) return;
        this.#list.replaceChildren(...activities.map((activity) => this.#item(speak, activity)));
        if (activities.length) this.#say(speak, speak.counted("count", activities.length), "hidden");
        else this.#say(speak, speak.text("empty"));
        this.#offerRetry(false);
        this.#live(new Map());
        this.#link();
      } catch {
        if (load !== this.#load) return;
        this.#list.replaceChildren();
        this.#say(speak, speak.text("failed"));
        this.#offerRetry(true);
      }
      this.#list.removeAttribute("aria-busy");
      this.#refreshedAt = 0;
      this.#refresh();
    }

    #say({ language }, text, looks = "notice") {
      this.#status.lang = this.#retry.lang = language;
      this.#status.className = looks;
      this.#status.textContent = text;
    }

    /* Who retried by keyboard goes on in the list, instead of at the top of the page. */
    #offerRetry(isOffered) {
      const hadFocus = this.shadowRoot.activeElement === this.#retry;
      this.#retry.hidden = !isOffered;
      if (hadFocus && !isOffered) this.#list.focus();
    }

    async #fetch(path) {
      const base = this.getAttribute("api") ?? source?.replace(/\/activities\/widget\.js([?#].*)?$/, "");
      const address = webAddress(base);
      if (!address) throw new Error("no API");
      const reply = await fetch(address.replace(/\/+$/, "") + path, {
        credentials: "omit", referrerPolicy: "no-referrer", signal: AbortSignal.timeout?.(GIVE_UP_MS),
      });
      if (!reply.ok) throw new Error(String(reply.status));
      return reply.json();
    }

    /* Published ones that have not ended; the list also holds held and cancelled ones. */
    async #upcoming(lang) {
      const limit = Math.min(Math.max(parseInt(this.getAttribute("limit"), 10) || 10, 1), 100);
      const now = Date.now();
      // By the hour, so that the visitors of an hour ask the same question and caches can answer.
      const from = new Date(now - (now % 3_600_000)).toISOString();
      const query = new URLSearchParams({ from, lang, limit: Math.min(limit * 2, 200) });
      for (const name of FILTERS) {
        for (const code of this.getAttribute(name)?.match(/[^\s,]+/g) ?? []) query.append(name, code);
      }
      const found = [];
      let path = `/activities/v1/activities?${query}`;
      for (let page = 0; path && page < MOST_PAGES && found.length < limit; page += 1) {
        const { items, next } = await this.#fetch(path);
        const isToCome = (one) => one.state === "published" && Date.parse(one.ends_at ?? one.starts_at) > now;
        found.push(...items.filter(isToCome));
        path = next && `/activities/v1/activities${new URL(next).search}`;
      }
      return found.slice(0, limit);
    }

    #item(speak, activity) {
      const level = this.getAttribute("heading-level");
      const heading = make(`h${/^[2-6]$/.test(level) ? level : 3}`, { class: "title" });
      const title = make("bdi", { lang: activity.language }, activity.title);
      const ours = activity.page_url && webAddress(`${activity.page_url}?lang=${speak.language}`);
      const page = this.hasAttribute("activity-url") ? this.#addressOf("activity-url", activity) : ours;
      heading.append(page ? make("a", { href: page }, title) : title);
      const facts = make("dl");
      const fact = (name, ...parts) => {
        const listed = parts.flatMap((part, nth) => (nth ? [", ", part] : [part]));
        const value = make("dd", { class: name }, make("bdi", {}, ...listed));
        if (parts.length) facts.append(make("dt", { class: "hidden" }, speak.text(name)), value);
        return value;
      };
      fact("when", make("time", { datetime: activity.starts_at }, speak.when(activity)));
      const { name, address, city } = activity.place ?? {};
      const online = activity.online_url && webAddress(activity.online_url);
      const remote = activity.mode === "physical" ? null : make("a", { href: online }, speak.text("online"));
      fact("where", ...[name, address, city, remote].filter(Boolean));
      // Without an address these are no links yet; #link gives them theirs.
      const organisers = activity.organisers.map((one) => make("a", {}, one.name));
      fact("who", ...organisers);
      const places = make("bdi");
      const until = make("bdi");
      fact("places", places).append(make("div", { class: "until" }, until));
      const { page_url: form } = activity.sign_up;
      const ourForm = form ? webAddress(`${form}?lang=${speak.language}`) : null;
      const join = this.hasAttribute("sign-up-url") ? this.#addressOf("sign-up-url", activity) : ourForm;
      const which = make("span", { class: "hidden" }, title.cloneNode(true));
      const signUp = join && make("a", { href: join, class: "button" }, speak.text("signUp"), " ", which);
      this.#shown.set(activity.id, { speak, activity, organisers, places, until, signUp });
      const sample = activity.sample ? make("span", { class: "sample" }, speak.text("sample")) : null;
      return make("li", { lang: speak.language }, heading, sample, facts, signUp);
    }

    #addressOf(attribute, { id }) {
      const template = this.getAttribute(attribute);
      return template && webAddress(template.replaceAll("{id}", encodeURIComponent(id)));
    }

    /* Lead from the organising section to its website, where a visitor can ask. */
    #link() {
      for (const { activity, organisers } of this.#shown.values()) {
        activity.organisers.forEach(async ({ lead, code }, nth) => {
          if (!lead || !code) return;
          const path = `/activities/v1/sections/${encodeURIComponent(code)}`;
          const key = `${this.getAttribute("api")} ${path}`;
          if (!websites.has(key)) websites.set(key, this.#fetch(path).catch(() => websites.delete(key)));
          const { website } = await websites.get(key);
          const address = website && webAddress(website);
          if (address) organisers[nth].href = address;
        });
      }
    }

    /* Write the live places into what is shown and touch nothing else: who reads or has the focus there stays. */
    #live(places) {
      for (const [id, { speak, activity, places: shown, until, signUp }] of this.#shown) {
        const { sign_up: written, starts_at: start, time_zone: zone } = activity;
        const now = places.get(id);
        const { capacity } = now ?? activity;
        const left = now && capacity !== null ? Math.max(capacity - now.taken, 0) : null;
        let { state } = written;
        if (now && state !== "not_offered") {
          if (now.open) state = "open";
          else if (left === 0) state = "full";
          else if (state !== "not_yet_open") state = "closed";
        }
        if (["not_offered", "full", "closed"].includes(state)) shown.textContent = speak.text(state);
        else if (capacity === null) shown.textContent = speak.text("unlimited");
        else if (left === null) shown.textContent = speak.counted("capacity", capacity);
        else shown.textContent = speak.counted("free", left, capacity);
        const [said, at] = state === "not_yet_open" ? ["opens", written.opens_at] : ["until", written.closes_at];
        const isWorthSaying = at && at !== start && ["open", "not_yet_open"].includes(state);
        until.textContent = isWorthSaying ? speak.moment(said, at, zone) : "";
        if (signUp) signUp.hidden = state !== "open";
      }
    }

    /* Ask for the places; what can't be had stays as it was, and the list can be read all the same. */
    async #refresh() {
      const load = this.#load;
      this.#refreshedAt = Date.now();
      this.#plan();
      if (!this.#shown.size) return;
      const ids = [...this.#shown.keys()].map(encodeURIComponent);
      try {
        const { items } = await this.#fetch(`/registration/v1/availability?activity=${ids.join(",")}`);
        if (load === this.#load) this.#live(new Map(items.map((item) => [item.activity_id, item])));
      } catch { /* The next minute may bring it. */ }
    }

    /* Refresh once a minute, and only while somebody can see it. */
    #plan() {
      clearTimeout(this.#timer);
      if (!this.#isInView || document.hidden || !this.#shown.size) return;
      this.#timer = setTimeout(() => this.#refresh(), Math.max(this.#refreshedAt + REFRESH_MS - Date.now(), 0));
    }
  }

  customElements.define(NAME, SocialErasmusActivities);
})();
