/* Reads data sets of JSON-stat from its input, and prints every cell that it finds in each. */
import { readFileSync } from "node:fs";
import JSONstat from "jsonstat-toolkit";

const told = JSON.parse(readFileSync(0, "utf8")).map((given) => {
  const dataset = JSONstat(given);
  const cells = dataset.Unflatten((at, { value, status }) => [dataset.id.map((name) => at[name]), value, status]);
  const labels = dataset.id.map((name) => dataset.Dimension(name).Category().map((category) => category.label));
  return { kind: dataset.class, id: dataset.id, label: dataset.label, role: dataset.role, updated: dataset.updated, cells, labels };
});
console.log(JSON.stringify(told));
