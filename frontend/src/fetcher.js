import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { parse } from "graphql";

// GraphiQL learns the operation's name some moments after the text: who changes the tab and runs
// at once would send the new query with the name of the old one.
export function ownFetcher({ url, access, explanation, lastAnswer }) {
  const note = (answer) => (lastAnswer.note(answer), explanation.note(answer));
  const send = createGraphiQLFetcher({ url, fetch: noting(access.send, note) });
  const named = (parameters) => ({ ...parameters, operationName: nameIn(parameters) });
  return (parameters, rest) => send(explanation.asking(named(parameters)), rest);
}

function noting(send, note) {
  return async (address, init) => {
    const response = await send(address, init);
    if (response.headers.get("content-type")?.includes("json")) {
      response.clone().json().then(note, () => undefined);
    }
    return response;
  };
}

function nameIn({ query, operationName }) {
  try {
    const operations = parse(query, { noLocation: true }).definitions.filter(
      (definition) => definition.kind === "OperationDefinition",
    );
    return operations.length === 1 ? operations[0].name?.value : operationName;
  } catch {
    return operationName;
  }
}
