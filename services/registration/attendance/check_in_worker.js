/* Opens the check-in page without a network: the newest page where there is one, else the one of the last time. */
"use strict";
const CACHE = "check-in-3";
const SCRIPTS = ["check-in.js", "check-in-people.js", "check-in-server.js", "check-in-store.js"];
/* The page is the same for every activity, so that of none is as good as another; it is kept in the language that
   was last seen. */
const PAGE = "activities/00000000-0000-0000-0000-000000000000/check-in";
const IS_OURS = /\/activities\/[0-9a-f-]{36}\/check-in$|\/check-in(-people|-server|-store)?\.js$/;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll([...SCRIPTS, PAGE]);
    await self.skipWaiting();
  })());
});

/* A page and scripts of before don't know each other's words: what was kept of them goes. */
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  const old = (await caches.keys()).filter((name) => name.startsWith("check-in-") && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
})()));

/* A door with one bar of signal is as good as one without: whoever waits in the rain waits for three seconds. */
async function fetched(request, cache) {
  const reply = await fetch(request.url, { cache: "no-cache", signal: AbortSignal.timeout?.(3_000) });
  if (reply.ok) await cache.put(key(request), reply.clone());
  return reply;
}

function key(request) {
  const address = new URL(request.url);
  return address.pathname.endsWith("/check-in") ? new URL(PAGE, self.location.href).href : address.href;
}

/* Every page asks to be kept, since it may have been asked for before there was a worker. */
self.addEventListener("message", (event) => event.waitUntil((async () => {
  const { url } = event.source;
  if (!IS_OURS.test(new URL(url).pathname)) return;
  await fetched({ url }, await caches.open(CACHE)).catch(() => null);
})()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== location.origin || !IS_OURS.test(address.pathname)) return;
  event.respondWith((async () => {
    const cache = await caches.open(CACHE);
    try {
      return await fetched(request, cache);
    } catch (failure) {
      const kept = await cache.match(key(request));
      if (kept) return kept;
      throw failure;
    }
  })());
});
