// Puts the page together.

import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./page.css";
import "./panels.css";

import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";

import { createAccess } from "./access.js";
import { AccessChip, AccessNotice } from "./AccessBar.jsx";
import { accessPlugin } from "./AccessPanel.jsx";
import { loadConfiguration } from "./configuration.js";
import { createExplanation } from "./explain.js";
import { explainPlugin } from "./ExplainPanel.jsx";
import { ownFetcher } from "./fetcher.js";
import { createLastAnswer } from "./freshness.js";
import { freshnessPlugin } from "./FreshnessPanel.jsx";
import { createProvider } from "./provider.js";
import { ownStorage, rememberVariables } from "./storage.js";

function Page({ access, fetcher, plugins, storage, tabs }) {
  return (
    <>
      <AccessNotice access={access} />
      <GraphiQL
        fetcher={fetcher}
        defaultTabs={tabs.length > 0 ? tabs : undefined}
        defaultEditorToolsVisibility="variables"
        plugins={plugins}
        storage={storage}
        shouldPersistHeaders={false}
        inputValueDeprecation
        schemaDescription
      >
        <GraphiQL.Logo>
          <span className="mark">Passerelle</span>
          <AccessChip access={access} />
        </GraphiQL.Logo>
      </GraphiQL>
    </>
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

// `arrival` is what a login provider sent back with this visit, if it did.
export async function start(arrival) {
  const root = createRoot(document.getElementById("ide"));
  try {
    root.render(<Page {...parts(await loadConfiguration(), arrival)} />);
  } catch (error) {
    root.render(<Failed error={error} />);
  }
}

function parts({ url, headers, login, tabs }, arrival) {
  const storage = ownStorage();
  rememberVariables(storage, tabs);
  const lastAnswer = createLastAnswer();
  const explanation = createExplanation();
  const access = createAccess({ url, preset: headers, provider: login && createProvider(login) });
  access.arrive(arrival);
  // Back from the provider's page without an answer: the browser may show this page as it was.
  addEventListener("pageshow", (event) => event.persisted && access.resume());
  const explorer = explorerPlugin({ showAttribution: false });
  const fetcher = ownFetcher({ url, access, explanation, lastAnswer });
  const panels = [accessPlugin(access), freshnessPlugin(lastAnswer), explainPlugin(explanation)];
  return { access, fetcher, plugins: [HISTORY_PLUGIN, explorer, ...panels], storage, tabs };
}
