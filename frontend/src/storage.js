// The browser keeps storage per origin, and many tools are served from the same local port:
// a prefix keeps the tabs of another GraphiQL out of this page.

const PREFIX = "passerelle:";
const RUNS = new Set(["graphiql:queries", "graphiql:favorites"]);

export function ownStorage(store = globalThis.localStorage) {
  const ownKeys = () => Object.keys(store).filter((key) => key.startsWith(PREFIX));
  return {
    getItem: (key) => store.getItem(PREFIX + key),
    setItem: (key, value) => store.setItem(PREFIX + key, RUNS.has(key) ? withoutHeaders(value) : value),
    removeItem: (key) => store.removeItem(PREFIX + key),
    clear: () => ownKeys().forEach((key) => store.removeItem(key)),
    get length() {
      return ownKeys().length;
    },
  };
}

// GraphiQL's history keeps the headers of every query that was run: a token among them would
// outlive the visit.
function withoutHeaders(value) {
  return JSON.stringify(JSON.parse(value, (key, part) => (key === "headers" ? undefined : part)));
}

// GraphiQL 5.4 opens the first of its default tabs with its query but without its variables,
// unless it finds them where it keeps those of the last visit.
export function rememberVariables(storage, [first]) {
  if (!first || storage.getItem("graphiql:tabState") !== null) return;
  storage.setItem("graphiql:query", first.query);
  storage.setItem("graphiql:variables", first.variables);
}
