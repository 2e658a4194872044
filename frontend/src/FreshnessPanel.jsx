// The sidebar's panel "Freshness": how old the facts of the last answer are, and whose they are.

import { useId, useSyncExternalStore } from "react";

export function freshnessPlugin(lastAnswer) {
  const Panel = () => <FreshnessPanel lastAnswer={lastAnswer} />;
  return { title: "Freshness", icon: FreshnessIcon, content: Panel };
}

function FreshnessPanel({ lastAnswer }) {
  const rows = useSyncExternalStore(lastAnswer.subscribe, lastAnswer.snapshot);
  const title = useId();
  return (
    <section className="panel" aria-labelledby={title}>
      <h2 id={title}>Freshness</h2>
      {rows === null && <p className="panel-soft">Run a query to see how old its facts are.</p>}
      {rows?.length === 0 && (
        <p className="panel-soft">
          The last answer does not tell. Ask for{" "}
          <code className="panel-code">{"freshness { state asOf upstream }"}</code> where there is one.
        </p>
      )}
      {rows?.length > 0 && (
        <ul className="panel-rows" aria-label="Facts of the last answer">
          {rows.map((row) => (
            <Row key={row.key} {...row} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Row({ path, state, system, upstream, asOf, count }) {
  const source = upstream ?? system;
  return (
    <li>
      <span className="panel-code">{path}</span>
      <span className={`panel-state panel-state-${state.toLowerCase()}`}>{state}</span>
      <span className="panel-soft">
        {count > 1 && `${count} ×, oldest `}
        <time dateTime={asOf}>{asText(new Date(asOf))}</time>
        {source && ` from ${source}`}
      </span>
    </li>
  );
}

function asText(moment) {
  const isToday = moment.toDateString() === new Date().toDateString();
  return isToday ? moment.toLocaleTimeString() : moment.toLocaleString();
}

function FreshnessIcon(props) {
  return (
    <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.5" {...props}>
      <circle cx="10" cy="11" r="7.25" />
      <path d="M10 7v4l2.75 2M7.5 1.25h5" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
