/* What a section's website would write: the activities of its next Week, by a client made from our OpenAPI document. */
import createClient from "openapi-fetch";
import type { components, paths } from "./activities.js";

type Activity = components["schemas"]["ActivityOut"];
const [baseUrl, section] = process.argv.slice(2);
const { GET } = createClient<paths>({ baseUrl: `${baseUrl}/activities` });

async function nextWeek(now: Date): Promise<string> {
  const { data, error } = await GET("/v1/editions");
  if (error) throw new Error(error.detail);
  const today = now.toISOString().slice(0, 10);
  const toCome = data.items.filter((edition) => edition.ends_on !== null && edition.ends_on >= today);
  const [next] = toCome.sort((one, other) => (one.starts_on ?? "").localeCompare(other.starts_on ?? ""));
  if (!next) throw new Error("no edition is to come");
  return next.code;
}

async function activitiesOf(section: string, edition: string): Promise<Activity[]> {
  const found: Activity[] = [];
  let cursor: string | undefined;
  do {
    const query = { section: [section], edition: [edition], limit: 2, ...(cursor ? { cursor } : {}) };
    const { data, error } = await GET("/v1/activities", { params: { query } });
    if (error) throw new Error(error.detail);
    found.push(...data.items);
    cursor = data.next === null ? undefined : (new URL(data.next).searchParams.get("cursor") ?? undefined);
  } while (cursor);
  return found;
}

const edition = await nextWeek(new Date());
const found = await activitiesOf(section!, edition);
const { error } = await GET("/v1/activities/{activity_id}", {
  params: { path: { activity_id: "01890000-0000-7000-8000-000000000000" } },
});
console.log(JSON.stringify({
  edition,
  activities: found.map(({ id, title, sign_up, organisers }) => ({ id, title, open: sign_up.state === "open", by: organisers[0]?.name })),
  problem: error?.title,
}));
