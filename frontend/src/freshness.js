// How old the facts of the last answer are: every `freshness { state asOf … }` found in it.

const STATES = new Set(["LIVE", "CACHED", "STALE", "FALLBACK"]);

// One row for all places of a list that are in the same state: the oldest moment, and how many.
export function freshnessIn(data) {
  const rows = new Map();
  for (const { path, fact } of factsIn(data, [])) {
    const { state, asOf, system, upstream } = fact;
    const key = [path, state, system, upstream].join("\n");
    const row = rows.get(key) ?? { key, path, state, system, upstream, asOf, count: 0 };
    const oldest = Date.parse(row.asOf) <= Date.parse(asOf) ? row.asOf : asOf;
    rows.set(key, { ...row, asOf: oldest, count: row.count + 1 });
  }
  return [...rows.values()];
}

function* factsIn(value, path) {
  if (value === null || typeof value !== "object") return;
  if (Array.isArray(value)) {
    for (const item of value) yield* factsIn(item, path);
    return;
  }
  if (STATES.has(value.state) && typeof value.asOf === "string") {
    yield { path: path.slice(0, -1).join("."), fact: value };
    return;
  }
  for (const [name, child] of Object.entries(value)) yield* factsIn(child, [...path, name]);
}

// The last answer, for whoever draws it.
export function createLastAnswer() {
  const listeners = new Set();
  let rows = null;
  return {
    subscribe: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
    snapshot: () => rows,
    note(answer) {
      if (!answer?.data || "__schema" in answer.data) return;
      rows = freshnessIn(answer.data);
      for (const listener of listeners) listener();
    },
  };
}
