import { RuntimeError } from '../../base/errors.js';
import { readConfigDespiteErrors } from '../config-despite-errors.js';
import type { CommandContext } from '../define-command.js';
import type { ClaudeScope } from '../launch.js';
import { commandName, mainEntry } from '../launch.js';
import { connect, makeChanges } from './change.js';
import { isInState } from './claude-state.js';
import type { ClientId } from './clients.js';
import { loadFormat } from './formats/load-format.js';
import { type Machine, machineOf } from './machine.js';
import { choose, findConnections, showConnections } from './offer.js';
import { type InstallPlan, planInstall, readVariables, settingsFromFlags, showPlan, wrapped } from './plan-install.js';

export interface InstallOptions {
  client: ClientId | undefined;
  /** Whether every client that was found is meant. */
  isAll: boolean;
  /** Whether to edit the client's config file. */
  write: boolean;
  /** Whether to show only what `write` would change. */
  isDry: boolean;
  scope: ClaudeScope | undefined;
  /** Variables of the server, as `NAME=value` or `NAME`. */
  variables: string[];
}

/** Shows how to connect a client, or does it. This works also when the runtime's own config file is broken. */
export async function runInstall(options: InstallOptions, context: CommandContext): Promise<void> {
  const { config } = readConfigDespiteErrors(context.flags.settings);
  const machine = machineOf(config);
  const { client, isAll, scope, write, isDry } = options;
  if (client === undefined || isAll) return installMany(options, machine, context);
  const plan = planFor(client, scope, options, machine, context);
  if (write || isDry) return makeChanges([{ client, make: () => connect(plan, machine, isDry) }], context);
  const { flags, output } = context;
  if (flags.isJson) output.printJson(planAsJson(plan));
  else output.print(showPlan(plan, await loadFormat(plan.app.format), output.paint));
}

/** Without a client: shows those of this machine, and connects the ones that are chosen. */
async function installMany(options: InstallOptions, machine: Machine, context: CommandContext): Promise<void> {
  const { client, isAll, scope, write, isDry } = options;
  if (isAll && client !== undefined)
    throw new RuntimeError('invalid', '--all and --client exclude each other.', 'Leave one out.');
  if (scope !== undefined) throw new RuntimeError('invalid', '--scope needs --client.', 'Name the client.');
  if ((write || isDry) && !isAll) {
    throw new RuntimeError('invalid', 'No client is named.', 'Give --client <name>, or --all for every client found.');
  }
  const connections = await findConnections(machine);
  const open = connections.filter(({ servers, problem }) => servers.length === 0 && problem === undefined);
  const { flags, output } = context;
  let chosen: readonly ClientId[] = open.map((one) => one.client);
  if (!(write || isDry)) {
    showConnections(connections, context, `${commandName} install --client <name> --write`);
    if (flags.isJson || chosen.length === 0) return;
    chosen = await choose('Connect', open, output);
  }
  const plans = chosen.map((id) =>
    planFor(id, id === 'claude-code' && machine.claude ? 'user' : undefined, options, machine, context),
  );
  if (plans.length > 0) {
    await makeChanges(
      plans.map((plan) => ({ client: plan.client, make: () => connect(plan, machine, isDry) })),
      context,
    );
  } else if (write || isDry) {
    showConnections(connections, context, 'Every client that was found is connected.');
  }
}

function planFor(
  client: ClientId,
  scope: ClaudeScope | undefined,
  { variables }: InstallOptions,
  { place }: Machine,
  { flags }: CommandContext,
): InstallPlan {
  const { env, passedEnv } = readVariables(variables);
  return planInstall({
    client,
    place,
    nodePath: process.execPath,
    mainPath: mainEntry(),
    env: { ...settingsFromFlags(flags.settings), ...env },
    passedEnv,
    scope,
  });
}

function planAsJson(plan: InstallPlan) {
  const { client, app, file, entry, directEntry, lines, scope } = plan;
  return {
    client,
    file,
    config: wrapped(plan, entry),
    ...(directEntry ? { config_with_full_paths: wrapped(plan, directEntry) } : {}),
    ...(lines.length > 0 ? { or: lines } : {}),
    ...(isInState(scope) ? { scope } : {}),
    write: plan.command,
    next: app.afterwards,
  };
}
