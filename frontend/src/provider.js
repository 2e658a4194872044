// Authorization code with PKCE against one OpenID provider, as a public client (RFC 9700).
// Tokens are handed to the caller and kept nowhere here.

import * as oauth from "oauth4webapi";

import { forgetPending, keepPending } from "./arrival.js";

const PATIENCE_MILLISECONDS = 15_000;
const CLOCK_TOLERANCE_SECONDS = 30;

export class LoginError extends Error {}

// `login` as in ide/config.json. `home` is where the provider sends people back to.
export function createProvider(login, home = new URL(".", document.baseURI).href) {
  const issuer = new URL(login.issuer);
  const client = {
    client_id: login.clientId,
    token_endpoint_auth_method: "none",
    [oauth.clockTolerance]: CLOCK_TOLERANCE_SECONDS,
  };
  const resource = login.resource ? { resource: login.resource } : {};
  const openid = login.scopes.includes("openid");
  let discovery;

  const terms = (additionalParameters = resource) => ({
    additionalParameters,
    signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
    // Only an issuer that is configured without TLS may be asked without.
    [oauth.allowInsecureRequests]: issuer.protocol === "http:",
  });

  function discovered() {
    discovery ??= oauth
      .discoveryRequest(issuer, terms())
      .then((response) => oauth.processDiscoveryResponse(issuer, response))
      .catch((error) => {
        discovery = undefined;
        throw error;
      });
    return discovery;
  }

  function endpoint(server, name) {
    const address = new URL(server[name]);
    if (address.protocol !== "https:" && address.protocol !== issuer.protocol) {
      throw new LoginError(`The provider's ${name} is not a web address.`);
    }
    return address;
  }

  async function begin() {
    const server = await discovered();
    const verifier = oauth.generateRandomCodeVerifier();
    const pending = { verifier, state: oauth.generateRandomState() };
    if (openid) pending.nonce = oauth.generateRandomNonce();
    const asked = {
      response_type: "code",
      client_id: client.client_id,
      redirect_uri: home,
      scope: login.scopes.join(" "),
      state: pending.state,
      ...(openid && { nonce: pending.nonce }),
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      ...resource,
      ...(login.audience && { audience: login.audience }),
    };
    const address = endpoint(server, "authorization_endpoint");
    for (const [name, value] of Object.entries(asked)) address.searchParams.set(name, value);
    keepPending(pending);
    location.assign(address);
  }

  async function finish({ parameters, pending }) {
    if (pending?.state === undefined || parameters.get("state") !== pending.state) {
      throw new LoginError("This answer belongs to no login of this tab. Please log in again.");
    }
    const server = await discovered();
    const checked = oauth.validateAuthResponse(server, client, parameters, pending.state);
    const response = await oauth.authorizationCodeGrantRequest(
      server, client, oauth.None(), checked, home, pending.verifier, terms(),
    );
    const expected = openid ? { expectedNonce: pending.nonce, requireIdToken: true } : {};
    return session(await oauth.processAuthorizationCodeResponse(server, client, response, expected));
  }

  async function renew(last) {
    const server = await discovered();
    const response = await oauth.refreshTokenGrantRequest(
      server, client, oauth.None(), last.refreshToken, terms(),
    );
    return session(await oauth.processRefreshTokenResponse(server, client, response), last);
  }

  // Leaves the page where the provider has a page for that.
  async function leave({ refreshToken, idToken }) {
    const server = await discovered();
    if (refreshToken && server.revocation_endpoint) {
      await oauth
        .revocationRequest(server, client, oauth.None(), refreshToken, terms({}))
        .catch(() => undefined); // it ends by itself
    }
    if (!server.end_session_endpoint) return;
    const address = endpoint(server, "end_session_endpoint");
    if (idToken) address.searchParams.set("id_token_hint", idToken);
    address.searchParams.set("client_id", client.client_id);
    address.searchParams.set("post_logout_redirect_uri", home);
    location.assign(address);
  }

  const told = (call) => (...given) => call(...given).catch((error) => { throw inWords(error); });
  return {
    name: issuer.host,
    begin: told(begin),
    finish: told(finish),
    renew: told(renew),
    leave: told(leave),
    forget: () => forgetPending(),
  };
}

function session(answer, last = {}) {
  return {
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token ?? last.refreshToken,
    idToken: answer.id_token ?? last.idToken,
    expiresAt: answer.expires_in === undefined ? null : Date.now() + answer.expires_in * 1000,
  };
}

function inWords(error) {
  if (error instanceof LoginError) return error;
  if (error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError) {
    const reason = error.error_description ? `${error.error}: ${error.error_description}` : error.error;
    return new LoginError(`The login was refused (${reason}).`, { cause: error });
  }
  if (globalThis.crypto.subtle === undefined) {
    return new LoginError("A login needs a page served by https or from this computer.", { cause: error });
  }
  if (error instanceof TypeError || error.name === "TimeoutError") {
    return new LoginError("The login service cannot be reached.", { cause: error });
  }
  const text = `The login service's answer cannot be trusted (${error.message}).`;
  return new LoginError(text, { cause: error });
}
