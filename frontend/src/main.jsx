import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./page.css";

import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";

import { loadConfiguration } from "./configuration.js";
import { ownStorage } from "./storage.js";

const explorer = explorerPlugin({ showAttribution: false });

function Page({ url, headers, tabs }) {
  return (
    <GraphiQL
      fetcher={createGraphiQLFetcher({ url, headers })}
      defaultTabs={tabs.length > 0 ? tabs : undefined}
      defaultEditorToolsVisibility="variables"
      plugins={[HISTORY_PLUGIN, explorer]}
      storage={ownStorage()}
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
  root.render(<Page {...await loadConfiguration()} />);
} catch (error) {
  root.render(<Failed error={error} />);
}
