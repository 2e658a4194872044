// The same as the map, for whoever reads rather than looks.

import { table } from "./element.js";
import { milliseconds, openCircuits, rate, share, word } from "./text.js";

const FLOW = [
  { title: "Rate", kind: "number", of: (row) => rate(row.rate) },
  { title: "p95", kind: "number", of: (row) => milliseconds(row.p95) },
  { title: "Errors", kind: "number", of: (row) => share(row.errorRate) },
];
const SYSTEMS = [
  { title: "System", of: (row) => `${row.name} (${row.title})` },
  { title: "Status", of: (row) => word(row.status), status: (row) => row.status },
  ...FLOW,
  { title: "Cache", kind: "number", of: (row) => share(row.hitRate) },
  { title: "Circuits open", kind: "long", of: (row) => openCircuits(row).map(([name]) => name).join(", ") || "none" },
];

export function show(place, map) {
  if (place.contains(document.activeElement)) return;
  const named = (title) => [{ title, of: (row) => row.name }, ...FLOW];
  const calls = [{ title: "Operation", of: (row) => row.source }, { title: "System", of: (row) => row.target }, ...FLOW];
  const asks = [{ title: "Caller", of: (row) => row.source }, { title: "Operation", of: (row) => row.target }, ...FLOW];
  place.replaceChildren(
    table("Systems", SYSTEMS, map.systems, { headed: true }),
    table("Operations", named("Operation"), map.operations, { headed: true }),
    table("Who asks what", asks, map.asks, { headed: true }),
    table("Which operations call which systems", calls, map.calls, { headed: true }),
  );
}
