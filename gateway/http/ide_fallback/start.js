// Starts the editor from the pinned CDN files: for installations where the page was not built.

const place = document.getElementById("ide");

function say(text) {
  const message = document.createElement("p");
  message.className = "message";
  message.textContent = text;
  place.replaceChildren(message);
}

// As frontend/src/storage.js: tabs of other tools served from the same port stay out.
function ownStorage() {
  const key = (name) => `passerelle:${name}`;
  const ownKeys = () => Object.keys(localStorage).filter((name) => name.startsWith(key("")));
  return {
    getItem: (name) => localStorage.getItem(key(name)),
    setItem: (name, value) => localStorage.setItem(key(name), value),
    removeItem: (name) => localStorage.removeItem(key(name)),
    clear: () => ownKeys().forEach((name) => localStorage.removeItem(name)),
    get length() {
      return ownKeys().length;
    },
  };
}

function rememberVariables(storage, [first]) {
  if (!first || storage.getItem("graphiql:tabState") !== null) return;
  storage.setItem("graphiql:query", first.query);
  storage.setItem("graphiql:variables", first.variables);
}

async function start() {
  const answer = await fetch("ide/config.json", { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`The gateway answered ${answer.status} for ide/config.json.`);
  const { graphql, headers, tabs } = await answer.json();
  const url = new URL(graphql, document.baseURI).href;
  const defaultTabs = tabs.map(({ query, variables }) => ({
    query,
    variables: JSON.stringify(variables, null, 2),
  }));
  const storage = ownStorage();
  rememberVariables(storage, defaultTabs);
  const page = React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url, headers }),
    defaultTabs,
    defaultEditorToolsVisibility: "variables",
    plugins: [GraphiQLPluginExplorer.explorerPlugin({ showAttribution: false })],
    storage,
    inputValueDeprecation: true,
    schemaDescription: true,
  });
  ReactDOM.createRoot(place).render(page);
}

if (globalThis.React && globalThis.ReactDOM && globalThis.GraphiQL && globalThis.GraphiQLPluginExplorer) {
  start().catch((error) => say(`The editor could not start. ${error.message}`));
} else {
  say(
    "The editor was not built on this machine and its files could not be loaded from the network. " +
      "Install Node.js with npm and run “make ide”, then restart. The API itself answers at /graphql.",
  );
}
