// The sidebar's panel "Access": as whom the page asks, and how to ask as somebody else.

import { Button } from "@graphiql/react";
import { useEffect, useId, useRef, useState, useSyncExternalStore } from "react";

const SECOND_MILLISECONDS = 1000;
const KINDS = {
  USER: "person",
  STAFF: "member of staff",
  APPLICATION: "application",
  ANONYMOUS: "anonymous",
};

export const useAccess = (access) => useSyncExternalStore(access.subscribe, access.snapshot);

export function nameOf({ kind, viewer }) {
  if (kind === "anonymous") return "Anonymous";
  return viewer?.name ?? viewer?.subject ?? { preset: "Preset", key: "API key", login: "Logged in" }[kind];
}

export function accessPlugin(access) {
  const Panel = () => <AccessPanel access={access} />;
  return { title: "Access", icon: AccessIcon, content: Panel };
}

function AccessPanel({ access }) {
  const state = useAccess(access);
  const title = useId();
  useEffect(() => {
    access.showInPanel(true);
    return () => access.showInPanel(false);
  }, [access]);
  return (
    <section className="panel" aria-labelledby={title} aria-busy={state.busy}>
      <h2 id={title} tabIndex={-1} data-panel="access">
        Access
      </h2>
      <div role="alert">{state.error && <p className="panel-error">{state.error}</p>}</div>
      <Caller state={state} />
      <Choices access={access} state={state} />
      <p className="panel-hint">
        Tokens and keys stay in the memory of this page. A reload forgets them.
      </p>
    </section>
  );
}

function Caller({ state }) {
  const { kind, viewer, expiresAt, renews } = state;
  const customer = viewer?.customer;
  return (
    <>
      <dl className="panel-facts">
        <dt>Asking as</dt>
        <dd>
          <strong>{nameOf(state)}</strong>
          {viewer && <span className="panel-soft">{KINDS[viewer.kind] ?? viewer.kind}</span>}
          {viewer?.name && viewer.subject !== viewer.name && (
            <span className="panel-soft panel-code">{viewer.subject}</span>
          )}
        </dd>
        <dt>With</dt>
        <dd>{WITH[kind]}</dd>
        {viewer && (
          <>
            <dt>Customer</dt>
            <dd>{customer ? <Customer {...customer} /> : <span className="panel-soft">none</span>}</dd>
          </>
        )}
        {expiresAt !== null && (
          <>
            <dt>Expires</dt>
            <dd>
              <Countdown until={expiresAt} over={renews ? "now" : "over"} />
              {renews && <span className="panel-soft">then renewed by itself</span>}
            </dd>
          </>
        )}
      </dl>
      {viewer && <Scopes scopes={viewer.scopes} />}
    </>
  );
}

const WITH = {
  preset: "the key that this page came with",
  anonymous: "no key and no token",
  key: "an API key",
  login: "an access token",
};

function Customer({ number, name }) {
  return (
    <>
      {name && <strong>{name}</strong>}
      <span className="panel-code">{number}</span>
    </>
  );
}

function Scopes({ scopes }) {
  return (
    <>
      <h3>Scopes</h3>
      {scopes.length === 0 && <p className="panel-soft">none</p>}
      <ul className="panel-scopes" aria-label="Scopes">
        {[...scopes].sort().map((scope) => (
          <li key={scope}>{scope}</li>
        ))}
      </ul>
    </>
  );
}

function Countdown({ until, over }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), SECOND_MILLISECONDS);
    return () => clearInterval(timer);
  }, []);
  const left = Math.max(0, Math.floor((until - now) / SECOND_MILLISECONDS));
  if (left === 0) return <span>{over}</span>;
  const [hours, minutes, seconds] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
  const clock = [hours, minutes, seconds].map((part) => String(part).padStart(2, "0")).join(":");
  return (
    <span>
      in <time dateTime={`PT${hours}H${minutes}M${seconds}S`}>{clock}</time>
    </span>
  );
}

function Choices({ access, state }) {
  const { kind, busy } = state;
  return (
    <>
      <div className="panel-actions">
        {kind === "login" && (
          <Button type="button" onClick={access.logout} disabled={busy}>
            Log out
          </Button>
        )}
        {kind !== "login" && access.providerName && (
          <Button type="button" className="panel-primary" onClick={access.login} disabled={busy}>
            Log in
          </Button>
        )}
        {kind !== "login" && kind !== "preset" && access.hasPreset && (
          <Button type="button" onClick={access.usePreset} disabled={busy}>
            Use the preset key
          </Button>
        )}
        {kind !== "login" && kind !== "anonymous" && (
          <Button type="button" onClick={access.useNothing} disabled={busy}>
            Ask anonymously
          </Button>
        )}
      </div>
      {kind !== "login" && access.providerName && (
        <p className="panel-hint">
          Logging in leads to <span className="panel-code">{access.providerName}</span> and back.
        </p>
      )}
      <KeyForm access={access} busy={busy} />
    </>
  );
}

function KeyForm({ access, busy }) {
  const field = useRef(null);
  const id = useId();

  async function submit(event) {
    event.preventDefault();
    const key = field.current.value.trim();
    field.current.value = "";
    await access.useKey(key);
    if (access.snapshot().error) field.current?.focus();
  }

  return (
    <form className="panel-key" onSubmit={submit} autoComplete="off">
      <label htmlFor={id}>API key</label>
      <div>
        <input ref={field} id={id} type="password" autoComplete="off" spellCheck={false} required />
        <Button type="submit" disabled={busy}>
          Use
        </Button>
      </div>
    </form>
  );
}

export function AccessIcon(props) {
  return (
    <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.5" {...props}>
      <circle cx="10" cy="6.5" r="3.75" />
      <path d="M2.75 18.25c0-3.6 3.2-5.75 7.25-5.75s7.25 2.15 7.25 5.75" strokeLinecap="round" />
    </svg>
  );
}
