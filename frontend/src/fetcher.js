import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { parse } from "graphql";

// GraphiQL learns the operation's name some moments after the text: who changes the tab and runs
// at once would send the new query with the name of the old one.
export function ownFetcher(options) {
  const send = createGraphiQLFetcher(options);
  return (parameters, rest) => send({ ...parameters, operationName: nameIn(parameters) }, rest);
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
