// What the gateway tells this page: where the API is, which headers a query needs, the ready tabs.

export async function loadConfiguration() {
  const answer = await fetch("ide/config.json", { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`The gateway answered ${answer.status} for ide/config.json.`);
  const { graphql, headers = {}, tabs = [] } = await answer.json();
  return { url: new URL(graphql, document.baseURI).href, headers, tabs: tabs.map(asTab) };
}

function asTab({ query, variables }) {
  return { query, variables: JSON.stringify(variables, null, 2) };
}
