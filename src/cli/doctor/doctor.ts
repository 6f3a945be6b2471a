import { reportError } from '../../base/errors.js';
import { version } from '../../base/version.js';
import { readConfigDespiteErrors } from '../config-despite-errors.js';
import type { CommandContext } from '../define-command.js';
import { type Paint, printable } from '../output.js';
import { type Check, checksOf } from './check.js';
import { checkAgents } from './check-agents.js';
import { checkClients } from './check-clients.js';
import { checkDatabase } from './check-database.js';
import { checkDirectories } from './check-directories.js';
import { checkDriver } from './check-driver.js';
import { checkIssuers } from './check-issuers.js';
import { checkServers } from './check-servers.js';
import { checkModels, checkSearch } from './check-services.js';
import { checkSettings } from './check-settings.js';

/**
 * Checks everything that the runtime needs, and says how to fix what is wrong. It writes and creates nothing (tool servers
 * are started for a moment), and it works even when every other command fails. The exit code is 1 if a check fails.
 */
export async function runDoctor(_: unknown, { flags, output }: CommandContext): Promise<void> {
  const { config, settingProblem } = readConfigDespiteErrors(flags.settings);
  const { driver, checks: driverChecks } = await checkDriver();
  const checks = [
    ...driverChecks,
    ...(await checkGroup('Settings', () => checkSettings(config, settingProblem))),
    ...(await checkGroup('Directories', () => checkDirectories(config))),
    ...(await checkGroup('Database', () => checkDatabase(config, driver))),
    ...(await checkGroup('Clients', () => checkClients(config))),
    ...(await checkGroup('Models', () => checkModels(config))),
    ...(await checkGroup('Search', () => checkSearch(config))),
    ...(await checkGroup('Agents', () => checkAgents(config))),
    ...(await checkGroup('Logins', () => checkIssuers(config))),
    ...(await checkGroup('Tool servers', () => checkServers(config))),
  ];
  const status = worstOf(checks);
  if (flags.isJson) output.printJson({ status, version, checks });
  else output.print(showChecks(checks, output.paint));
  if (status === 'fail') process.exitCode = 1;
}

/** The checks of one group. An error that a check throws becomes a finding too. */
async function checkGroup(group: string, makeChecks: () => Check[] | Promise<Check[]>): Promise<Check[]> {
  try {
    return await makeChecks();
  } catch (error) {
    const { message, hint } = reportError(error);
    return [checksOf(group).fail('check', `could not be made: ${message}`, hint)];
  }
}

function worstOf(checks: readonly Check[]): Check['status'] {
  const found = new Set(checks.map((check) => check.status));
  if (found.has('fail')) return 'fail';
  return found.has('warn') ? 'warn' : 'ok';
}

/** The checks as text, by group, each with its fix. */
function showChecks(checks: readonly Check[], paint: Paint): string {
  const lines: string[] = [];
  const width = Math.max(...checks.map((check) => check.name.length));
  let group: string | undefined;
  for (const check of checks) {
    if (check.group !== group) lines.push(...(group === undefined ? [] : ['']), paint('bold', check.group));
    group = check.group;
    const mark = paint(colours[check.status], check.status.padEnd(4));
    const [first = '', ...more] = printable(check.detail).split('\n');
    lines.push(`  ${mark}  ${check.name.padEnd(width)}  ${first}`.trimEnd());
    const margin = ' '.repeat(width + 10);
    for (const line of more) lines.push(margin + line);
    if (check.fix) lines.push(`${margin}${paint('dim', `-> ${printable(check.fix)}`)}`);
  }
  return [...lines, '', verdict(checks, paint)].join('\n');
}

const colours = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

function verdict(checks: readonly Check[], paint: Paint): string {
  const count = (status: Check['status']) => checks.filter((check) => check.status === status).length;
  const [failing, warning] = [count('fail'), count('warn')];
  if (failing > 0) return paint('red', `${failing} of ${checks.length} checks fail.`);
  if (warning > 0) return paint('yellow', `It works; ${warning} of ${checks.length} checks could be better.`);
  return paint('green', 'All is well.');
}
