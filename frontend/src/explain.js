// What the gateway explains of the last run: asked for while the panel's switch is on.

export function createExplanation() {
  const listeners = new Set();
  let state = { isOn: false, told: null, error: null };
  const change = (changes) => {
    state = { ...state, ...changes };
    for (const listener of listeners) listener();
  };
  return {
    subscribe: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
    snapshot: () => state,
    ask: (isOn) => change({ isOn }),
    // The request as it goes out; reading the schema is not explained.
    asking(parameters) {
      if (!state.isOn || parameters.operationName === "IntrospectionQuery") return parameters;
      return { ...parameters, extensions: { ...parameters.extensions, explain: true } };
    },
    note(answer) {
      const told = answer?.extensions?.explain;
      if (told?.error) change({ told: null, error: told.error.message });
      else if (told) change({ told, error: null });
    },
  };
}

// One bar for each question and one for each call to a system that it took, as shares of the run.
export function waterfall({ milliseconds, waves }) {
  const whole = Math.max(milliseconds, 0.001);
  const place = ({ start, milliseconds: length }) => {
    const from = Math.min(Math.max(start / whole, 0), 1);
    return { from, share: Math.min(Math.max(length / whole, 0), 1 - from) };
  };
  return waves.map(({ wave, start, milliseconds: length, questions = [] }) => ({
    wave,
    start,
    milliseconds: length,
    rows: questions.map((question, index) => ({
      key: `${wave}.${index}`,
      ...question,
      answers: answersOf(question),
      bar: place(question),
      calls: (question.calls ?? []).map((call) => ({ ...call, bar: place(call) })),
    })),
  }));
}

function answersOf({ cached, stale, live, fallback, failed, calls = [], error }) {
  const parts = Object.entries({ cached, stale, live, fallback, failed })
    .filter(([, number]) => number)
    .map(([name, number]) => `${number} ${name}`);
  if (calls.length > 0) parts.push(`by ${counted(calls.length, "call")}`);
  if (error) parts.push(error);
  return parts.join(", ") || "nothing";
}

export function foreseen({ operation, batches, maybe, cache, worst }) {
  const calls = batches
    .map(({ calls: number, keys }) =>
      keys === undefined || keys === null
        ? counted(number, "call")
        : `${counted(number, "call")} of ${counted(keys, "key")}`,
    )
    .join(" + ");
  const kept = cache ? `kept ${asAge(cache.maxAge)} (${cache.store})` : "not kept";
  const known = worst.by === "p95" ? `p95 of ${worst.samples}` : "by its limits";
  return {
    operation,
    text: `${maybe ? "up to " : ""}${calls}; ${kept}; at worst ${asTime(worst.milliseconds)} (${known})`,
  };
}

export function counted(number, name) {
  return `${number} ${name}${number === 1 ? "" : "s"}`;
}

export function asTime(milliseconds) {
  return milliseconds < 100 ? `${milliseconds.toFixed(1)} ms` : `${Math.round(milliseconds)} ms`;
}

function asAge(seconds) {
  for (const [length, unit] of [[86_400, "d"], [3_600, "h"], [60, "min"]]) {
    if (seconds >= length && seconds % length === 0) return `${seconds / length} ${unit}`;
  }
  return `${seconds} s`;
}
