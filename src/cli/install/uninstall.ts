import { RuntimeError } from '../../base/errors.js';
import { readConfigDespiteErrors } from '../config-despite-errors.js';
import type { CommandContext } from '../define-command.js';
import { commandName } from '../launch.js';
import { disconnect, makeChanges } from './change.js';
import { type ClientId, clientOf } from './clients.js';
import { type ConnectedServer, findConnected } from './connected.js';
import { type Machine, machineOf } from './machine.js';
import { choose, findConnections, showConnections } from './offer.js';

export interface UninstallOptions {
  client: ClientId | undefined;
  isAll: boolean;
  /** Whether to show only what would change. */
  isDry: boolean;
}

/** Removes every entry that starts this program from a client's files, after a backup of each. The database stays. */
export async function runUninstall({ client, isAll, isDry }: UninstallOptions, context: CommandContext): Promise<void> {
  const machine = machineOf(readConfigDespiteErrors(context.flags.settings).config);
  if (client !== undefined) {
    if (isAll) throw new RuntimeError('invalid', '--all and --client exclude each other.', 'Leave one out.');
    const servers = await findConnected(client, machine.place);
    if (servers.length > 0) return remove([{ client, servers }], machine, isDry, context);
    if (context.flags.isJson) context.output.printJson({ client, status: 'unchanged' });
    else context.output.print(`${clientOf(client).title} does not start this program; nothing was changed.`);
    return;
  }
  const connections = await findConnections(machine);
  const connected = connections.filter(({ servers }) => servers.length > 0);
  if (isAll) {
    if (connected.length > 0) return remove(connected, machine, isDry, context);
    if (context.flags.isJson) context.output.printJson({ clients: [] });
    else context.output.print('No client that was found starts this program; nothing was changed.');
    return;
  }
  if (isDry) throw new RuntimeError('invalid', 'No client is named.', 'Give --client <name>, or --all.');
  const next =
    connected.length > 0 ? `${commandName} uninstall --client <name>` : 'nothing; no client starts this program.';
  showConnections(connections, context, next);
  if (context.flags.isJson || connected.length === 0) return;
  const chosen = await choose('Remove it from', connected, context.output);
  const meant = connected.filter((one) => chosen.includes(one.client));
  if (meant.length > 0) await remove(meant, machine, isDry, context);
}

async function remove(
  from: readonly { client: ClientId; servers: readonly ConnectedServer[] }[],
  machine: Machine,
  isDry: boolean,
  context: CommandContext,
): Promise<void> {
  const changes = from.flatMap(({ client, servers }) =>
    servers.map((server) => ({ client, make: () => disconnect(client, server, machine, isDry) })),
  );
  await makeChanges(changes, context);
}
