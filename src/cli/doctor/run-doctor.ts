import { reportError } from '../../base/errors.js';
import { version } from '../../base/version.js';
import type { GlobalFlags } from '../global-flags.js';
import { readLenientConfig } from '../lenient-config.js';
import type { Output } from '../output.js';
import { type Check, checksOf } from './check.js';
import { checkAgents } from './check-agents.js';
import { checkClients } from './check-clients.js';
import { checkDatabase } from './check-database.js';
import { checkDirectories } from './check-directories.js';
import { checkDriver } from './check-driver.js';
import { checkModels } from './check-models.js';
import { checkSearch } from './check-search.js';
import { checkServers } from './check-servers.js';
import { checkSettings } from './check-settings.js';
import { showChecks } from './show-checks.js';

/**
 * Looks at everything that has to be right, and says how to mend what is not. It writes nothing and creates nothing, and
 * it works when nothing else does: that is what it is for. The exit code is 1 if something fails.
 */
export async function runDoctor(flags: GlobalFlags, output: Output): Promise<void> {
  const { config, settingProblem } = readLenientConfig(flags.settings);
  const { driver, checks: driverChecks } = await checkDriver();
  const checks = [
    ...driverChecks,
    ...(await safely('Settings', () => checkSettings(config, settingProblem))),
    ...(await safely('Directories', () => checkDirectories(config))),
    ...(await safely('Database', () => checkDatabase(config, driver))),
    ...(await safely('Clients', () => checkClients(config))),
    ...(await safely('Models', () => checkModels(config))),
    ...(await safely('Search', () => checkSearch(config))),
    ...(await safely('Agents', () => checkAgents(config))),
    ...(await safely('Tool servers', () => checkServers(config))),
  ];
  const status = worstOf(checks);
  if (flags.isJson) output.printJson({ status, version, checks });
  else output.print(showChecks(checks, output.paint));
  if (status === 'fail') process.exitCode = 1;
}

/** A check that itself breaks is a finding like any other. */
async function safely(group: string, look: () => Check[] | Promise<Check[]>): Promise<Check[]> {
  try {
    return await look();
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
