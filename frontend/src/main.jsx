import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./page.css";

import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";

import { loadConfiguration } from "./configuration.js";
import { ownFetcher } from "./fetcher.js";
import { ownStorage, rememberVariables } from "./storage.js";

const explorer = explorerPlugin({ showAttribution: false });

function Page({ url, headers, tabs, storage }) {
  return (
    <GraphiQL
      fetcher={ownFetcher({ url, headers })}
      defaultTabs={tabs.length > 0 ? tabs : undefined}
      defaultEditorToolsVisibility="variables"
      plugins={[HISTORY_PLUGIN, explorer]}
      storage={storage}
      inputValueDeprecation
      schemaDescription
    >
      <GraphiQL.Logo>
        <span className="mark">Passerelle</span>
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

function Failed({ error }) {
  return (
    <p className="failed" role="alert">
      <strong>The editor could not start.</strong>
      {error.message}
    </p>
  );
}

const root = createRoot(document.getElementById("ide"));
try {
  const configuration = await loadConfiguration();
  const storage = ownStorage();
  rememberVariables(storage, configuration.tabs);
  root.render(<Page {...configuration} storage={storage} />);
} catch (error) {
  root.render(<Failed error={error} />);
}
