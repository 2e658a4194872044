// Prints, as JSON, what each audit of graphql-http says about the endpoint at the given address.
import { serverAudits } from 'graphql-http';

const [url] = process.argv.slice(2);
const findings = [];
for (const audit of serverAudits({ url })) {
  const result = await audit.fn();
  findings.push({ id: audit.id, name: audit.name, status: result.status, reason: result.reason });
}
process.stdout.write(JSON.stringify(findings));
