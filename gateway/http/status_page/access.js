// Who asks: a key or token in the memory of this page, or nobody.

let held = null;

export function hold(kind, credential) {
  held = credential ? { kind, credential } : null;
}

export function headers() {
  if (held === null) return {};
  return held.kind === "key" ? { "X-API-Key": held.credential } : { Authorization: `Bearer ${held.credential}` };
}

export class Refused extends Error {
  constructor(status) {
    super(REASONS[status] ?? `The gateway answered ${status}.`);
    this.status = status;
  }
}

const REASONS = {
  401: "Give a key or token with the scope systems:read to see how the systems do.",
  403: "This key or token lacks the scope systems:read.",
  404: "The gateway does not know this.",
  429: "Too many requests; wait a moment.",
  503: "Too many pages are open, or the gateway cannot tell who you are just now.",
};

// Raises Refused, or the TypeError of a network that does not answer.
export async function ask(path, signal) {
  const answer = await fetch(path, { headers: headers(), signal, cache: "no-store", credentials: "omit" });
  if (!answer.ok) throw new Refused(answer.status);
  return answer;
}
