// The sidebar's panel "Explain": which systems the last run was to ask, and a waterfall of what it asked.

import { useId, useSyncExternalStore } from "react";

import { asTime, counted, foreseen, waterfall } from "./explain.js";

const WIDTH = 1000;
const HEIGHT = 14;
const LEAST = 4; // what took no time is seen all the same

export function explainPlugin(explanation) {
  const Panel = () => <ExplainPanel explanation={explanation} />;
  return { title: "Explain", icon: ExplainIcon, content: Panel };
}

function ExplainPanel({ explanation }) {
  const { isOn, told, error } = useSyncExternalStore(explanation.subscribe, explanation.snapshot);
  const title = useId();
  return (
    <section className="panel" aria-labelledby={title}>
      <h2 id={title}>Explain</h2>
      <label className="panel-switch">
        <input type="checkbox" checked={isOn} onChange={(event) => explanation.ask(event.target.checked)} />
        Explain every run
      </label>
      <div role="status">
        {error && <p className="panel-error">{error}</p>}
        {!told && !error && (
          <p className="panel-soft">
            {isOn
              ? "Run a query to see which systems it asks."
              : "Switched on, each run tells which systems it asked, in which order and for how long."}
          </p>
        )}
      </div>
      {told?.run && <Run run={told.run} />}
      {told && <Plan plan={told.plan} cost={told.cost} />}
    </section>
  );
}

function Run({ run }) {
  return (
    <>
      <h3>
        Took {asTime(run.milliseconds)}, {counted(run.calls, "call")} to systems
      </h3>
      {waterfall(run).map(({ wave, start, milliseconds, rows }) => (
        <div key={wave} className="explain-wave">
          <h4>
            Wave {wave}{" "}
            <span className="panel-soft">
              {asTime(milliseconds)}, from {asTime(start)} on
            </span>
          </h4>
          <ol className="panel-rows" aria-label={`Questions of wave ${wave}`}>
            {rows.map((row) => (
              <Row key={row.key} {...row} />
            ))}
          </ol>
        </div>
      ))}
      {run.leftOff > 0 && <p className="panel-soft">{counted(run.leftOff, "more question")} not shown.</p>}
    </>
  );
}

function Row({ operation, upstreams = [], answers, start, milliseconds, bar, calls, failed, error }) {
  const state = failed || error ? "failed" : calls.length > 0 ? "live" : "kept";
  return (
    <li>
      <span className="panel-code">{operation}</span>
      <span>{asTime(milliseconds)}</span>
      <svg
        className={`explain-bar explain-bar-${state}`}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        <rect className="explain-line" x="0" y={HEIGHT / 2} width={WIDTH} height="1" />
        <Bar {...bar} height={HEIGHT} className="explain-question" />
        {calls.map((call, index) => (
          <Bar key={index} {...call.bar} height={HEIGHT / 2} className="explain-call" />
        ))}
      </svg>
      <span className="panel-soft">
        {upstreams.join(", ")} {answers}, from {asTime(start)} on
      </span>
    </li>
  );
}

function Bar({ from, share, height, className }) {
  const width = Math.max(share * WIDTH, LEAST);
  const x = Math.min(from * WIDTH, WIDTH - width);
  return <rect className={className} x={x} y={(HEIGHT - height) / 2} width={width} height={height} />;
}

function Plan({ plan, cost }) {
  const { waves = [], unasked = [], unplanned = [] } = plan;
  return (
    <>
      <h3>
        Foreseen: cost {cost.requested} of {cost.limit}, at most {counted(plan.calls, "call")}, at worst{" "}
        {asTime(plan.worstMilliseconds)}
      </h3>
      {waves.map(({ wave, calls }) => (
        <div key={wave} className="explain-wave">
          <h4>Wave {wave}</h4>
          <ul className="panel-rows" aria-label={`Foreseen in wave ${wave}`}>
            {calls.map((call) => (
              <Foreseen key={`${call.operation} ${call.upstream} ${call.fields}`} {...call} />
            ))}
          </ul>
        </div>
      ))}
      {unasked.map(({ field, scope, operation }) => (
        <p key={`${field} ${operation}`} className="panel-soft">
          <span className="panel-code">{field}</span> asks nobody:{" "}
          {scope ? `it needs the scope ${scope}` : `no system serves ${operation}`}
        </p>
      ))}
      {unplanned.length > 0 && <p className="panel-soft">Not known beforehand: {unplanned.join(", ")}</p>}
    </>
  );
}

function Foreseen(call) {
  const { operation, text } = foreseen(call);
  return (
    <li>
      <span className="panel-code">{operation}</span>
      <span>
        {call.upstream} ({call.system})
      </span>
      <span className="panel-soft">{text}</span>
      <span className="panel-soft panel-code">{call.fields.join(", ")}</span>
    </li>
  );
}

function ExplainIcon(props) {
  return (
    <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.5" {...props}>
      <path d="M2.5 1.5v17M5 5h6M8 10h7M12 15h6" strokeLinecap="round" />
    </svg>
  );
}
