/* Reads a list of OpenActive's Events from its input and prints what their validator finds in each. */
const { readFileSync } = require("node:fs");
const { validate } = require("@openactive/data-model-validator");

const events = JSON.parse(readFileSync(0, "utf8"));
Promise.all(events.map((event) => validate(event, { loadRemoteJson: false }))).then((all) => {
  const told = ({ severity, type, path }) => ({ severity, type, path });
  console.log(JSON.stringify(all.map((findings) => findings.map(told))));
});
