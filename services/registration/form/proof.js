/* Solves a challenge of ALTCHA (PoW v2, PBKDF2/SHA-256). The form for signing up does it by itself; an app imports
   `solve`, and repeats its request with what it answers in the header X-Altcha. */

const AT_ONCE = 16;

/* The proof for the `challenge` of a problem `proof-required`. It takes a second or a few, beside everything else. */
export async function solve(challenge) {
  const { algorithm, cost, keyLength, keyPrefix, nonce, salt } = challenge.parameters;
  if (algorithm !== "PBKDF2/SHA-256") throw new Error(`There is no way to solve ${algorithm} here.`);
  const rounds = { name: "PBKDF2", hash: "SHA-256", salt: bytes(salt), iterations: cost };
  const start = bytes(nonce);

  async function derived(counter) {
    const password = new Uint8Array(start.length + 4);
    password.set(start);
    new DataView(password.buffer).setUint32(start.length, counter);
    const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    return hexadecimal(await crypto.subtle.deriveBits(rounds, key, 8 * keyLength));
  }

  for (let first = 0; ; first += AT_ONCE) {
    const keys = await Promise.all(Array.from({ length: AT_ONCE }, (_, number) => derived(first + number)));
    const found = keys.findIndex((key) => key.startsWith(keyPrefix));
    if (found >= 0) {
      return btoa(JSON.stringify({ challenge, solution: { counter: first + found, derivedKey: keys[found] } }));
    }
  }
}

function bytes(written) {
  return Uint8Array.from(written.match(/../g), (pair) => Number.parseInt(pair, 16));
}

function hexadecimal(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/* Where the form came back with a challenge: the proof goes into its field, and the form is sent once more. */
async function finish(form) {
  document.getElementById("scriptless").hidden = true;
  form.elements.altcha.value = await solve(JSON.parse(form.dataset.challenge));
  // A form whose proof did not do waits for its reader, so that nothing goes round and round.
  if (form.dataset.sends === "yes") form.submit();
}

// Outside of a page, as where an app tests its own code, there is nothing to finish; without TLS no browser derives keys.
const form = globalThis.document?.querySelector("form[data-challenge]");
if (form && globalThis.crypto?.subtle) await finish(form);
