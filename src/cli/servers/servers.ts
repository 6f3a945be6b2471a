import { messageOf, RuntimeError } from '../../base/errors.js';
import type { Downstream } from '../../downstream/downstream.js';
import type { CommandContext } from '../define-command.js';
import { commandName } from '../launch.js';
import type { Paint } from '../output.js';
import { type Column, printTable } from '../table.js';
import { readSettingOf, settingOf, withRuntime, withStored } from '../with-runtime.js';

/** Lists the servers of the config file. Starts none, and creates no database. */
export async function listServers(_: unknown, { flags, output, wantsJson }: CommandContext): Promise<void> {
  const { servers, configPath } = await withStored(readSettingOf(flags), async ({ downstream, config }) => ({
    servers: await downstream.servers(),
    configPath: config.configPath,
  }));
  const rows = servers.map(
    ({ server, runs, health, problem, tools, listedAt, backups, instances, isShared, keeperPid }) => ({
      server,
      runs,
      ...(health === 'off' ? { off: problem === undefined ? 'switched off' : `left out: ${problem}` } : {}),
      ...(health !== 'off' && problem !== undefined ? { problem } : {}),
      instances: instances.length,
      ...(isShared ? { shared: true, keeper_pid: keeperPid ?? null } : {}),
      backups,
      tools: tools ?? null,
      listed_at: listedAt === undefined ? null : new Date(listedAt).toISOString(),
      open_breakers: instances.filter(({ breaker }) => breaker !== 'closed').map(({ id }) => id),
    }),
  );
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
  shared?: boolean;
  keeper_pid?: number | null;
  tools: number | null;
  backups: readonly string[];
  open_breakers: readonly string[];
}>[] = [
  { title: 'SERVER', value: ({ server }) => server },
  { title: 'RUNS', value: ({ runs, off, problem }) => off ?? problem ?? runs, isText: true },
  { title: 'INSTANCES', value: ({ instances }) => String(instances), isNumber: true },
  {
    title: 'SHARED',
    value: ({ shared, keeper_pid }) => (shared ? (keeper_pid ? `keeper ${keeper_pid}` : 'yes') : ''),
  },
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
/**
 * Side by side, so that one that hangs does not hold up the report on the others. Half of what a session may have: a start
 * that was given up may keep its place for a while.
 */
const mostAtOnce = 10;

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
    const found = new Map<string, Finding>();
    const waiting = [...names];
    async function work(): Promise<void> {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        found.set(name, await checkOne(name, downstream));
      }
    }
    await Promise.all(Array.from({ length: mostAtOnce }, work));
    return names.flatMap((name) => found.get(name) ?? []);
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
    const tools = await downstream.check(server, startMs, { isTrial: true });
    return { server, status: 'ok', tools, ms: ms() };
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    const said = downstream.sick().find((sick) => sick.server === server)?.said;
    return { server, status: 'fail', problem: messageOf(error), ...(said === undefined ? {} : { said }), ms: ms() };
  } finally {
    await downstream.stop(server);
  }
}
