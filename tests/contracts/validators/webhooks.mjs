/* Reads requests from its input, with the secret to judge each by, and prints whether the library takes them, and whether the sample receiver does. */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { Webhook } from "standardwebhooks";

const { Receiver } = await import(pathToFileURL(process.argv[2]).href);

function takes(read) {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

const requests = JSON.parse(readFileSync(0, "utf8"));
console.log(
  JSON.stringify(
    requests.map(({ secret, headers, body }) => ({
      library: takes(() => new Webhook(secret).verify(body, headers)),
      sample: takes(() => new Receiver(secret).read(headers, Buffer.from(body))),
    })),
  ),
);
