// Entries of the journal as a table, and the search for them.

import { ask } from "./access.js";
import { element, table } from "./element.js";
import { age, clock, cut, milliseconds, number } from "./text.js";

const COLUMNS = [
  { title: "When", kind: "moment", of: (row) => clock(row.at * 1000) },
  { title: "Upstream", of: (row) => row.upstream },
  { title: "Call", of: (row) => row.call },
  { title: "Outcome", kind: "outcome", of: outcome },
  { title: "Took", kind: "number", of: (row) => (row.tried === 0 ? "–" : milliseconds(row.milliseconds ?? 0)) },
  { title: "Operation", of: (row) => row.graphql ?? "–" },
  { title: "Client", of: (row) => row.client ?? "–" },
  { title: "Customer", of: (row) => row.customer ?? "–" },
  { title: "Asked", kind: "long", of: (row) => cut(row.arguments ?? "", 70) },
  { title: "Request", of: (row) => element("code", {}, row.requestId ?? "–") },
  { title: "Entry", kind: "number", of: (row) => (row.id === undefined ? "–" : String(row.id)) },
];

function outcome(row) {
  const retry = (row.tried ?? 1) > 1 ? `, try ${row.tried}` : "";
  if (row.error) return `${row.status ?? ""} ${row.error}${retry}`.trim();
  if (row.cache === "stale") return `${number(row.keys ?? 0)} from old answers${row.age === undefined ? "" : `, ${age(row.age)} old`}`;
  if (row.cache === "fallback") return `${number(row.keys ?? 0)} by a second system`;
  if (row.cache === "failed") return `${number(row.keys ?? 0)} not answered`;
  return `${row.status ?? "ok"}${retry}`;
}

const isFailed = (row) => Boolean(row.error) || row.cache === "failed";

export function exchanges(shown, caption) {
  if (shown.journal === false) return element("p", { class: "soft" }, "There is no journal to read.");
  const rows = shown.exchanges ?? [];
  if (!rows.length) return element("p", { class: "soft" }, "Nothing found.");
  return table(caption, COLUMNS, rows, { rowClass: (row) => (isFailed(row) ? "failed" : null) });
}

export function searching(form, place) {
  let latest = null;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    latest?.abort();
    const mine = (latest = new AbortController());
    const asked = new URLSearchParams({
      q: form.querySelector("#key").value,
      kind: form.querySelector("#what").value,
      seconds: form.querySelector("#seconds").value,
      errors: form.querySelector("#errors").checked ? "1" : "0",
    });
    try {
      const shown = await (await ask(`status/search?${asked}`, mine.signal)).json();
      place.replaceChildren(exchanges(shown, `${shown.exchanges?.length ?? 0} entries, the latest first`));
    } catch (problem) {
      if (!mine.signal.aborted) place.replaceChildren(element("p", { class: "notice" }, problem.message));
    }
  });
}
