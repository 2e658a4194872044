// How numbers and moments are told.

const NUMBERS = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const TIMES = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const number = (value) => NUMBERS.format(value);
export const rate = (value) => `${NUMBERS.format(value)}/s`;
export const share = (value) => (value === null ? "–" : `${NUMBERS.format(value * 100)} %`);
export const clock = (moment) => TIMES.format(new Date(moment));
export const word = (status) =>
  ({ UP: "up", DEGRADED: "degraded", DOWN: "down", UNKNOWN: "not called lately" })[status] ?? status;

export function milliseconds(value) {
  if (value === null || value === undefined) return "–";
  return value >= 1000 ? `${NUMBERS.format(value / 1000)} s` : `${NUMBERS.format(value)} ms`;
}

export function age(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 129600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}

export function ago(moment) {
  return `${age(Math.max(0, (Date.now() - new Date(moment)) / 1000))} ago`;
}

export function several(count, one, many = `${one}s`) {
  return `${NUMBERS.format(count)} ${count === 1 ? one : many}`;
}

export function cut(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

// How an edge or an operation does: by its errors alone.
export function health(errorRate) {
  if (errorRate > 0.5) return "DOWN";
  return errorRate > 0.02 ? "DEGRADED" : "UP";
}

export function openCircuits(system) {
  return Object.entries(system.circuits).filter(([, state]) => state !== "closed");
}
