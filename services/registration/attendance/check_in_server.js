/* How the check-in page asks the server: with its user's token, with a pass that a coordinator lent, or signed in. */

const PASS = "cip_";

/* In the place of a token: the browser has a cookie, which no script can read. */
export const SESSION = "session";

export class TokenNeeded extends Error {}
export class NotReached extends Error {}
export class NotAnswered extends Error {}

/* Whether a text is a pass, which opens one door for a day. */
export function isPass(text) {
  return text?.startsWith(PASS) ?? false;
}

function credentials(token) {
  if (token === SESSION) return {};
  return isPass(token) ? { "X-Check-In-Pass": token } : { Authorization: `Bearer ${token}` };
}

export class Server {
  constructor(api, token) {
    this.api = api;
    this.token = token;
    this.skew = 0;
  }

  async read(address) {
    const reply = await this.ask(address);
    if (!reply.ok) throw new NotAnswered(reply.status);
    return reply.json();
  }

  /* Something that exists already is changed (`match` says what it was), else something is told. */
  async ask(address, body, match) {
    const token = this.token();
    const headers = { ...credentials(token), ...match };
    if (body) headers["Content-Type"] = "application/json";
    let reply;
    try {
      reply = await fetch(new URL(address, this.api), {
        method: match ? "PUT" : body ? "POST" : "GET", headers, body: body && JSON.stringify(body), cache: "no-store",
        credentials: token === SESSION ? "same-origin" : "omit", signal: AbortSignal.timeout?.(20_000),
      });
    } catch {
      throw new NotReached();
    }
    if (reply.status === 401 || reply.status === 403) throw new TokenNeeded(reply.status);
    const said = Date.parse(reply.headers.get("date") ?? "");
    if (said) this.skew = Date.now() - said;
    return reply;
  }

  /* What whoever signed in in this browser is answered, or null without a network. */
  async signedIn(address) {
    const asked = { cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout?.(20_000) };
    return fetch(new URL(address, this.api), asked).then(({ status }) => status, () => null);
  }

  /* A correction is read back first: one that the server took and this phone was not told of is not sent again. */
  async correct({ subject: identity, present, hours, reason }) {
    const address = `attendances/${identity}`;
    for (;;) {
      const found = await this.ask(address);
      if (found.status === 404) return { outcome: "refused", reason: "gone" };
      if (!found.ok) throw new NotAnswered(found.status);
      const known = await found.json();
      const isSo = known.corrected && (known.presence === "present") === present;
      const done = { outcome: "recorded", registration_id: identity };
      if (isSo && (hours === null || Number(known.hours) === hours)) return done;
      const reply = await this.ask(address, { present, hours, reason }, { "If-Match": found.headers.get("etag") });
      if (reply.ok) return done;
      if (reply.status === 422) return { outcome: "refused", reason: "not_understood" };
      if (reply.status === 409) {
        const isEarly = (await reply.json()).type.endsWith("not-begun");
        return { outcome: "refused", reason: isEarly ? "not_begun" : "activity_cancelled" };
      }
      // Somebody else said something of them at this moment: that is read, and this stands above it.
      if (reply.status !== 412) throw new NotAnswered(reply.status);
    }
  }
}
