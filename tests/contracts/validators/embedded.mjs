/* Unfurls pages whose addresses it is given: each by the oEmbed that its head leads to; prints what a website gets. */
import { unfurl } from "unfurl.js";

const told = [];
for (const address of process.argv.slice(2)) {
  told.push(await unfurl(address, { timeout: 10_000 }).catch((error) => ({ failed: String(error.message) })));
}
console.log(JSON.stringify(told));
