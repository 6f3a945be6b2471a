import { createInterface } from 'node:readline/promises';
import { messageOf } from '../../base/errors.js';
import type { CommandContext } from '../define-command.js';
import type { Output } from '../output.js';
import { renderTable } from '../table.js';
import { configFileOf, defaultScopeOf } from './client-app.js';
import { type ClientId, clientOf } from './clients.js';
import { type ConnectedServer, findConnected } from './connected.js';
import { clientsHere, type Machine } from './machine.js';

/** A client of this machine, and where it starts this program. */
export interface Connection {
  client: ClientId;
  file: string;
  servers: ConnectedServer[];
  /** Why its files cannot be read. */
  problem?: string;
}

export async function findConnections(machine: Machine): Promise<Connection[]> {
  return Promise.all(
    clientsHere(machine).map(async (client) => {
      const app = clientOf(client);
      const file = configFileOf(app, defaultScopeOf(app), machine.place) ?? '';
      try {
        return { client, file, servers: await findConnected(client, machine.place) };
      } catch (error) {
        return { client, file, servers: [], problem: messageOf(error) };
      }
    }),
  );
}

/** Prints the clients of this machine, and what comes next. */
export function showConnections(
  connections: readonly Connection[],
  { flags, output }: CommandContext,
  next: string,
): void {
  if (flags.isJson) {
    const clients = connections.map(({ client, file, servers, problem }) => ({
      client,
      title: clientOf(client).title,
      file,
      connected: servers.map(({ name, file: where, scope }) => ({ name, file: where, scope })),
      ...(problem === undefined ? {} : { problem }),
    }));
    output.printJson({ clients, next });
    return;
  }
  if (connections.length === 0) output.print('No client was found on this machine.');
  else output.quote(table(connections, output));
  output.print(`Next: ${next}`);
}

function table(connections: readonly Connection[], output: Output): string {
  return renderTable(
    [
      { title: 'client', value: ({ client }) => client },
      { title: 'state', value: stateOf },
      { title: 'file', value: ({ file, servers }) => servers[0]?.file ?? file, isText: true },
    ],
    connections,
    { width: output.columns(), paint: output.paint },
  );
}

function stateOf({ servers: [first], problem }: Connection): string {
  if (problem !== undefined) return 'cannot be read';
  return first ? `connected as ${first.name}` : 'not connected';
}

/** Asks at a terminal which of the clients are meant; none elsewhere. */
export async function choose(verb: string, offered: readonly Connection[], output: Output): Promise<ClientId[]> {
  if (!output.isTerminal || process.stdin.isTTY !== true) return [];
  const lines = offered.map(({ client }, index) => `  ${index + 1}  ${clientOf(client).title}`);
  output.say(`\n${lines.join('\n')}`);
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  // Without an answer, as after Ctrl-D, nothing is chosen.
  const closed = new Promise<string>((resolve) => void reader.once('close', () => resolve('')));
  const answer = await Promise.race([reader.question(`${verb} which? Numbers, all, or Enter for none: `), closed]);
  reader.close();
  return parseChoice(
    answer,
    offered.map(({ client }) => client),
  );
}

/** The clients that an answer such as `1 3` or `all` names; words that name none are left out. */
export function parseChoice(answer: string, offered: readonly ClientId[]): ClientId[] {
  const words = answer.toLowerCase().split(/[\s,]+/);
  if (words.includes('all') || words.includes('a')) return [...offered];
  return offered.filter((client, index) => words.includes(String(index + 1)) || words.includes(client));
}
