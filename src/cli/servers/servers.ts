import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf, RuntimeError } from '../../base/errors.js';
import type { Downstream } from '../../downstream/downstream.js';
import { readConfigDespiteErrors } from '../config-despite-errors.js';
import type { CommandContext } from '../define-command.js';
import { editFile } from '../install/edit-file.js';
import { commandName } from '../launch.js';
import type { Paint } from '../output.js';
import { type Column, printTable } from '../table.js';
import { readSettingOf, settingOf, withRuntime, withStored } from '../with-runtime.js';
import { type ImportPlan, planImport } from './plan-import.js';

/** Lists the servers of the config file. Starts none, and creates no database. */
export async function listServers(_: unknown, { flags, output, wantsJson }: CommandContext): Promise<void> {
  const { servers, configPath } = await withStored(readSettingOf(flags), async ({ downstream, config }) => ({
    servers: await downstream.servers(),
    configPath: config.configPath,
  }));
  const rows = servers.map(({ server, runs, health, problem, tools, listedAt, backups, instances }) => ({
    server,
    runs,
    ...(health === 'off' ? { off: problem === undefined ? 'switched off' : `left out: ${problem}` } : {}),
    ...(health !== 'off' && problem !== undefined ? { problem } : {}),
    instances: instances.length,
    backups,
    tools: tools ?? null,
    listed_at: listedAt === undefined ? null : new Date(listedAt).toISOString(),
    open_breakers: instances.filter(({ breaker }) => breaker !== 'closed').map(({ id }) => id),
  }));
  if (wantsJson) output.printJson({ servers: rows, config: configPath });
  else if (rows.length === 0)
    output.print(
      `${configPath} names no servers. \`${commandName} servers import FILE\` copies those of another client.`,
    );
  else printTable(output, serverColumns, rows);
}

const serverColumns: Column<{
  server: string;
  runs: string;
  off?: string;
  problem?: string;
  instances: number;
  tools: number | null;
  backups: readonly string[];
  open_breakers: readonly string[];
}>[] = [
  { title: 'SERVER', value: ({ server }) => server },
  { title: 'RUNS', value: ({ runs, off, problem }) => off ?? problem ?? runs, isText: true },
  { title: 'INSTANCES', value: ({ instances }) => String(instances), isNumber: true },
  {
    title: 'TOOLS',
    value: ({ tools, off }) => (off === undefined ? String(tools ?? 'never asked') : ''),
    isNumber: true,
  },
  { title: 'BACKUPS', value: ({ backups }) => backups.join(', ') },
  { title: 'OPEN BREAKERS', value: ({ open_breakers }) => open_breakers.join(', ') },
];

interface Finding {
  server: string;
  status: 'ok' | 'fail';
  tools?: number;
  problem?: string;
  /** What its process wrote at the end. */
  said?: string;
  ms: number;
}

/** The first start of a server may have to download it. */
const startMs = 45_000;

/** Starts each server, asks for its tools and stops it. The exit code is 1 if one does not answer. */
export async function checkServers(
  { server }: { server: string | undefined },
  { flags, output, wantsJson }: CommandContext,
): Promise<void> {
  const setting = settingOf(flags);
  const names = server === undefined ? Object.keys(setting.config.servers.used) : [server];
  if (names.length === 0) {
    throw new RuntimeError(
      'not_configured',
      `${setting.config.configPath} names no servers.`,
      `\`${commandName} servers import FILE\` copies those of another client.`,
    );
  }
  const findings = await withRuntime(setting, async ({ downstream }) => {
    // Side by side: one that hangs must not hold up the report on the others.
    return Promise.all(names.map((name) => checkOne(name, downstream)));
  });
  if (wantsJson) output.printJson({ servers: findings });
  else {
    printTable(output, findingColumns(output.paint), findings);
    for (const { server: name, said } of findings) if (said !== undefined) output.quote(`${name} wrote: ${said}`);
  }
  if (findings.some(({ status }) => status === 'fail')) process.exitCode = 1;
}

const findingColumns = (paint: Paint): Column<Finding>[] => [
  {
    title: 'STATUS',
    value: ({ status }) => (status === 'ok' ? 'ok' : 'FAIL'),
    paint: (cell, { status }) => paint(status === 'ok' ? 'green' : 'red', cell),
  },
  { title: 'SERVER', value: ({ server }) => server },
  { title: 'TOOLS', value: ({ tools }) => (tools === undefined ? '' : String(tools)), isNumber: true },
  { title: 'MS', value: ({ ms }) => String(ms), isNumber: true },
  { title: 'PROBLEM', value: ({ problem = '' }) => problem, isText: true },
];

async function checkOne(server: string, downstream: Downstream): Promise<Finding> {
  const startedAt = performance.now();
  const ms = () => Math.round(performance.now() - startedAt);
  try {
    const tools = await downstream.check(server, startMs);
    return { server, status: 'ok', tools, ms: ms() };
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    const said = downstream.sick().find((sick) => sick.server === server)?.said;
    return { server, status: 'fail', problem: messageOf(error), ...(said === undefined ? {} : { said }), ms: ms() };
  }
}

export interface ImportOptions {
  file: string;
  /** Whether to print the changes instead of making them. */
  isDry: boolean;
  /** Whether to replace servers that have the same name. */
  isReplacing: boolean;
}

/** Copies the servers of another client's file to the config file, or prints what that would change. */
export function importServers({ file, isDry, isReplacing }: ImportOptions, context: CommandContext): void {
  const { flags, output } = context;
  // It need not exist yet, and what is wrong in it is found when the servers are added.
  const { configPath } = readConfigDespiteErrors(flags.settings).config;
  const source = readSource(resolve(file));
  const plan = (text: string): ImportPlan => planImport(source, text, { file, configPath, isReplacing });
  const isNew = !existsSync(configPath);
  const edited: { outcome: ImportPlan; backup?: string } = isDry
    ? { outcome: plan(readOrEmpty(configPath)) }
    : editFile(configPath, plan, Date.now());
  const { outcome, backup } = edited;
  // The entries often hold keys, so nobody else may read a new file.
  if (isNew && existsSync(configPath)) chmodSync(configPath, 0o600);
  const { added, replaced, unchanged, skipped } = outcome;
  if (flags.isJson) {
    output.printJson({
      config: configPath,
      dry_run: isDry,
      added,
      replaced,
      unchanged,
      skipped,
      ...(backup ? { backup } : {}),
    });
    return;
  }
  const would = isDry ? 'Would have ' : '';
  if (added.length > 0) output.quote(`${would}${isDry ? 'added' : 'Added'} ${added.join(', ')}.`);
  if (replaced.length > 0) output.quote(`${would}${isDry ? 'replaced' : 'Replaced'} ${replaced.join(', ')}.`);
  if (unchanged.length > 0) output.quote(`Already there: ${unchanged.join(', ')}.`);
  for (const { server, reason } of skipped) output.quote(`Skipped ${server}: ${reason}.`);
  if (backup) output.print(`Backup: ${backup}`);
  if (added.length + replaced.length > 0 && !isDry) output.print('Next: agent-runtime servers check');
}

function readSource(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new RuntimeError(
      'not_found',
      `${file} cannot be read: ${messageOf(error)}`,
      'Name a file such as .mcp.json or claude_desktop_config.json.',
    );
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
