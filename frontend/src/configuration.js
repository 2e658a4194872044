// What the gateway tells this page: where the API is, which headers a query needs, where to log in,
// the ready tabs.

export async function loadConfiguration() {
  const answer = await fetch("ide/config.json", { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`The gateway answered ${answer.status} for ide/config.json.`);
  const { graphql, headers = {}, tabs = [], login = null } = await answer.json();
  const url = new URL(graphql, document.baseURI).href;
  return { url, headers, login: login && asLogin(login), tabs: tabs.map(asTab) };
}

function asTab({ query, variables }) {
  return { query, variables: JSON.stringify(variables, null, 2) };
}

function asLogin({ issuer, client_id: clientId, scopes, resource, audience }) {
  return { issuer, clientId, scopes, resource, audience };
}
