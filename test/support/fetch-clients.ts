import { type CliId, clientClis, fetchCli } from './client-clis.js';

/** Fetches the clients that are named, or all: .ci/clients [NAME ...] */
const known = Object.keys(clientClis) as CliId[];
const named = process.argv.slice(2);
const unknown = named.filter((name) => !known.some((id) => id === name));
if (unknown.length > 0) {
  process.stderr.write(`No client is called ${unknown.join(', ')}. There are: ${known.join(', ')}.\n`);
  process.exit(2);
}
for (const id of known) {
  if (named.length === 0 || named.includes(id)) process.stdout.write(`${id}: ${fetchCli(id) ?? 'not there'}\n`);
}
