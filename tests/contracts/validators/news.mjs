/* Reads a feed of Atom from its input and prints what it understood. */
import { readFileSync } from "node:fs";
import { detectAtomFeed, parseAtomFeed } from "feedsmith";

const written = readFileSync(0, "utf8");
console.log(JSON.stringify({ isAtom: detectAtomFeed(written), feed: parseAtomFeed(written) }));
