// What a login keeps while the provider has the window, and what the provider sends back with it.

const KEPT = "passerelle:login";

export function keepPending(pending, store = globalThis.sessionStorage) {
  store.setItem(KEPT, JSON.stringify(pending));
}

export function forgetPending(store = globalThis.sessionStorage) {
  store.removeItem(KEPT);
}

// { parameters, pending }, or null on an ordinary visit. Either way nothing of a login is left
// in the address bar or in storage.
export function takeArrival(store = globalThis.sessionStorage) {
  const kept = store.getItem(KEPT);
  forgetPending(store);
  const parameters = new URLSearchParams(location.search);
  if (!parameters.has("state") || !(parameters.has("code") || parameters.has("error"))) return null;
  history.replaceState(null, "", location.pathname + location.hash);
  return { parameters, pending: kept && JSON.parse(kept) };
}
