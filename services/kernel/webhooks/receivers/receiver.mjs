// Receives webhooks of SocialErasmus: copy it, it needs Node 18 or newer and nothing else.
//
//     node receiver.mjs 8080 FILE-WITH-THE-SECRET
//
// Put it behind your web server's https. Answer quickly with 204 and do the work afterwards; whatever is not a 2xx is
// sent again, for three days, under the same `webhook-id`.
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const TOLERANCE_SECONDS = 300;
const LONGEST_BODY = 64 * 1024;

/** It is not from us, not as we sent it, or too old. */
export class Refused extends Error {}

/** Tells what is ours from what is forged or repeated. */
export class Receiver {
  #key;
  #seen = new Map();

  constructor(secret) {
    this.#key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  }

  /** The message in a request; `body` is a Buffer of exactly what came over the wire, header names are small. */
  read(headers, body, now = Date.now() / 1000) {
    const id = headers["webhook-id"] ?? "";
    const timestamp = headers["webhook-timestamp"] ?? "";
    if (!id || !/^[0-9]{1,12}$/.test(timestamp)) throw new Refused("headers are missing");
    const content = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
    const expected = createHmac("sha256", this.#key).update(content).digest();
    // Two signatures while a secret is being replaced; any other version than v1 is not for us.
    const isOurs = (headers["webhook-signature"] ?? "").split(" ").some((each) => {
      const sent = each.startsWith("v1,") ? Buffer.from(each.slice(3), "base64") : Buffer.alloc(0);
      return sent.length === expected.length && timingSafeEqual(sent, expected);
    });
    if (!isOurs) throw new Refused("no signature is right");
    if (Math.abs(now - Number(timestamp)) > TOLERANCE_SECONDS) throw new Refused("too old, or from the future");
    return JSON.parse(body.toString("utf8"));
  }

  /** Whether a message that was read comes for the first time. Keep the ids in your database instead. */
  isNew(id, now = Date.now() / 1000) {
    for (const [known, at] of this.#seen) if (now - at > 4 * 24 * 3600) this.#seen.delete(known);
    if (this.#seen.has(id)) return false;
    this.#seen.set(id, now);
    return true;
  }
}

function serve(receiver, port) {
  createServer(async (request, reply) => {
    const parts = [];
    let length = 0;
    try {
      for await (const part of request) {
        length += part.length;
        if (length > LONGEST_BODY) throw new Refused("too long");
        parts.push(part);
      }
      const message = receiver.read(request.headers, Buffer.concat(parts));
      // Your work begins here.
      if (receiver.isNew(request.headers["webhook-id"])) console.log(message.type, JSON.stringify(message.data));
      reply.writeHead(204).end();
    } catch {
      reply.writeHead(400, { "content-length": "0" }).end();
    }
  }).listen(port, "127.0.0.1");
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  serve(new Receiver(readFileSync(process.argv[3], "utf8").trim()), Number(process.argv[2]));
}
