/* Holds texts, a JSON list of them on its input, to the grammar of Atom by libxml2; prints what each has wrong. */
import { readFileSync } from "node:fs";
import { validateXML } from "xmllint-wasm";

const grammar = readFileSync(new URL("atom.rng", import.meta.url), "utf8");
const told = JSON.parse(readFileSync(0, "utf8")).map(async (contents) => {
  const xml = [{ fileName: "feed.atom", contents }];
  const { valid, errors } = await validateXML({ xml, schema: [grammar], extension: "relaxng" });
  return valid ? [] : errors.map((error) => error.message);
});
console.log(JSON.stringify(await Promise.all(told)));
