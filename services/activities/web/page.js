/* Live places on the page of an activity, once a minute while somebody looks; without it the page is complete. */
(() => {
  "use strict";
  const shown = document.querySelector("[data-places]");
  if (!shown) return;
  const { places: address, free, full } = shown.dataset;
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const ask = async () => {
    if (document.hidden) return;
    try {
      const reply = await fetch(address, { credentials: "omit", signal: AbortSignal.timeout?.(15_000) });
      if (!reply.ok) return;
      const [found] = (await reply.json()).items;
      if (!found || found.capacity === null) return;
      const left = Math.max(found.capacity - found.taken, 0);
      const values = { n: number.format(left), of: number.format(found.capacity) };
      const said = left ? free.replace(/\{(n|of)\}/g, (_, name) => values[name]) : full;
      if (said !== shown.textContent) shown.textContent = said;
    } catch { /* The next minute may bring it. */ }
  };
  setInterval(ask, 60_000);
  document.addEventListener("visibilitychange", ask);
  ask();
})();
