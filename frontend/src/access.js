// As whom the page asks. Tokens and keys live in the closures below: not in the snapshot
// that is drawn, and in no storage.

const RENEW_BEFORE_MILLISECONDS = 30_000;
const LONGEST_TIMER_MILLISECONDS = 2 ** 31 - 1;
const VIEWER = "query Viewer { viewer { subject kind name scopes customer { number name } } }";

// kind: preset | anonymous | key | login. refused: null | "expired" | "refused".
// epoch counts the changes of credentials since the page was opened; inPanel: errors are shown there.
const NOBODY = {
  kind: "anonymous", viewer: null, expiresAt: null, renews: false,
  busy: false, error: null, refused: null, epoch: 0, inPanel: false,
};

class RefusedError extends Error {}

export function createAccess({ url, preset, provider }) {
  const listeners = new Set();
  const first = Object.keys(preset).length > 0 ? fixed("preset", preset) : fixed("anonymous", {});
  let credentials = first;
  let state = { ...NOBODY, kind: first.kind };
  let settled = Promise.resolve();
  let expiry;

  function change(part) {
    state = { ...state, ...part };
    for (const listener of listeners) listener();
  }

  function take(next, viewer) {
    credentials = next;
    change({ kind: next.kind, viewer, error: null, refused: null, epoch: state.epoch + 1 });
    watch();
  }

  // Shows how long the credentials last, and says so when they are over.
  function watch() {
    const { expiresAt, renews } = credentials;
    clearTimeout(expiry);
    change({ expiresAt, renews });
    if (expiresAt === null || renews) return;
    const left = Math.min(expiresAt - Date.now(), LONGEST_TIMER_MILLISECONDS);
    expiry = setTimeout(() => change({ refused: "expired" }), left);
  }

  async function headersOf(used) {
    const headers = await used.headers();
    const changed = used.expiresAt !== state.expiresAt || used.renews !== state.renews;
    if (used === credentials && changed) watch();
    return headers;
  }

  // Credentials are taken only when the gateway accepts them.
  async function adopt(next, refusal) {
    try {
      take(next, await viewerOf(url, await next.headers()));
    } catch (error) {
      throw error instanceof RefusedError ? new Error(refusal, { cause: error }) : error;
    }
  }

  // One thing at a time; queries wait, so that none goes out as somebody else.
  function attempt(work) {
    if (state.busy) return settled;
    change({ busy: true, error: null });
    settled = work()
      .catch((error) => change({ error: error.message }))
      .finally(() => change({ busy: false }));
    return settled;
  }

  function forget() {
    const left = credentials;
    take(first, null);
    return left;
  }

  async function send(address, init) {
    await settled;
    const used = credentials;
    const typed = new Headers(init.headers);
    const own = typed.has("authorization") || typed.has("x-api-key");
    for (const [name, value] of Object.entries(own ? {} : await headersOf(used))) {
      typed.set(name, value);
    }
    const response = await fetch(address, { ...init, headers: typed });
    if (!own && used === credentials) heed(response);
    return response;
  }

  function heed({ status, ok }) {
    if (status === 401) change({ refused: "refused" });
    else if (ok && state.refused === "refused") change({ refused: null });
  }

  const introduce = () =>
    viewerOf(url, first.headers()).then(
      (viewer) => credentials === first && change({ viewer }),
      () => undefined, // the first query will say it
    );

  return {
    subscribe: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
    snapshot: () => state,
    providerName: provider?.name ?? null,
    hasPreset: first.kind === "preset",
    send,
    arrive: (arrival) =>
      arrival && provider
        ? attempt(async () => {
            const found = bearer(provider, await provider.finish(arrival));
            await adopt(found, `The gateway does not accept the token that ${provider.name} issued.`);
          }).then(() => (credentials === first ? introduce() : undefined))
        : introduce(),
    login: () => attempt(() => provider.begin()),
    useKey: (key) =>
      attempt(async () => {
        if (!/^[!-~]+$/.test(key)) throw new Error("This is not a key.");
        await adopt(fixed("key", { "X-API-Key": key }), "The gateway does not accept this key.");
      }),
    useNothing: () => attempt(async () => take(fixed("anonymous", {}), null)),
    usePreset: () => attempt(async () => (forget(), introduce())),
    logout: () => attempt(() => Promise.resolve(forget().leave()).finally(introduce)),
    showInPanel: (inPanel) => change({ inPanel }),
    resume: () => (provider?.forget(), change({ busy: false })),
  };
}

function fixed(kind, headers) {
  return { kind, expiresAt: null, renews: false, headers: async () => headers, leave: () => undefined };
}

function bearer(provider, first) {
  let session = first;
  let renewal;
  const isDue = () => session.expiresAt !== null && session.expiresAt - Date.now() < RENEW_BEFORE_MILLISECONDS;

  async function renew() {
    try {
      session = await provider.renew(session);
    } catch {
      // Whether the old token still serves, the gateway decides; the page offers a new login then.
      session = { ...session, refreshToken: undefined };
    }
  }

  return {
    kind: "login",
    get expiresAt() {
      return session.expiresAt;
    },
    get renews() {
      return session.refreshToken !== undefined;
    },
    async headers() {
      if (session.refreshToken && isDue()) {
        renewal ??= renew().finally(() => (renewal = undefined));
        await renewal;
      }
      return { Authorization: `Bearer ${session.accessToken}` };
    },
    leave: () => provider.leave(session),
  };
}

// Null where the gateway does not tell.
async function viewerOf(url, headers) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", ...(await headers) },
    body: JSON.stringify({ query: VIEWER, operationName: "Viewer" }),
  }).catch((error) => {
    throw new Error("The gateway cannot be reached.", { cause: error });
  });
  if (response.status === 401) throw new RefusedError();
  const answer = await response.json().catch(() => null);
  return answer?.data?.viewer ?? null;
}
