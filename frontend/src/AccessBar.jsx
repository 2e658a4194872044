// What the page always shows of access: who asks, and a notice when that no longer holds.

import { useGraphiQLActions } from "@graphiql/react";
import { useEffect } from "react";

import { AccessIcon, nameOf, useAccess } from "./AccessPanel.jsx";

export function AccessChip({ access }) {
  const state = useAccess(access);
  const { introspect } = useGraphiQLActions();
  // What the schema shows may depend on who asks.
  useEffect(() => {
    if (state.epoch > 0) introspect();
  }, [state.epoch]);
  const name = nameOf(state);
  return (
    <button type="button" className="access-chip" aria-label={`Access: ${name}`} onClick={showPanel}>
      <AccessIcon aria-hidden="true" />
      <span>{name}</span>
    </button>
  );
}

export function AccessNotice({ access }) {
  const { refused, kind, error, inPanel } = useAccess(access);
  const again = kind === "login" ? access.login : showPanel;
  return (
    <div className="access-notice" role="alert">
      {refused && (
        <p>
          <span>{kind === "login" ? LOGIN_TEXTS[refused] : TEXTS[kind]}</span>
          <button type="button" onClick={again}>
            {kind === "login" ? "Log in again" : "Choose how to ask"}
          </button>
        </p>
      )}
      {!refused && error && !inPanel && (
        <p>
          <span>{error}</span>
          <button type="button" onClick={showPanel}>
            Open access
          </button>
        </p>
      )}
    </div>
  );
}

const LOGIN_TEXTS = {
  expired: "Your login has expired. Please log in again.",
  refused: "The gateway no longer accepts your login. Please log in again.",
};
const TEXTS = {
  anonymous: "The gateway answers nobody without a login or a key.",
  key: "The gateway does not accept this API key any more.",
  preset: "The gateway does not accept the key that this page came with.",
};

// GraphiQL opens a panel, and gives it room, only by the button of its sidebar.
function showPanel() {
  document.querySelector('.graphiql-sidebar button[aria-label="Show Access"]')?.click();
  requestAnimationFrame(() => document.querySelector('[data-panel="access"]')?.focus());
}
