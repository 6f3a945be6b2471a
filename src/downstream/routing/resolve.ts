import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, RuntimeError } from '../../base/errors.js';
import { sharingWord } from '../../base/text.js';
import { CallFailure } from '../connection/call-failure.js';
import type { ToolDescription } from '../connection/tool-description.js';
import type { NativeTool } from '../native/define-native-tool.js';
import type { Pool } from '../pool/pool.js';

/** A source that can answer a call. */
export type Candidate =
  | { source: 'native'; name: string; tool: NativeTool }
  | {
      source: 'primary' | 'backup';
      name: string;
      pool: Pool;
      tool: ToolDescription;
      /** Whether its server has listed it. Nothing but the name is known otherwise. */
      isListed: boolean;
    };

/** The tool that a caller's name stands for. */
export interface Resolved {
  /** `server.tool`, or the bare name of a native tool. Cache, routes and metrics use this name. */
  name: string;
  /** The tool's own name. */
  bare: string;
  /** Whether the caller named the server. */
  isQualified: boolean;
  native: NativeTool | undefined;
  primary: { pool: Pool; tool: ToolDescription } | undefined;
}

export interface ResolveNeeds {
  pools: ReadonlyMap<string, Pool>;
  /** Why a server of the config file is not used; undefined if it is, or is not there. */
  whyUnused(server: string): string | undefined;
  /** What a server wrote when it failed last, without keys. Data, not our wording. */
  said(pool: Pool): string | undefined;
  natives: readonly NativeTool[];
  /** The servers to choose where several have the tool, in order of preference. */
  preferred: readonly string[];
  timeoutMs: number;
}

/** `native.search_arxiv` names the tool that is built in. */
export const nativeServer = 'native';

/** A tool in the list of a server. */
interface Found {
  pool: Pool;
  tool: ToolDescription;
}

/** Once one of the servers asked has the tool, the others have this long to say that they have it too. */
const othersMs = 1_000;

/**
 * Finds the tool that a name stands for: `server.tool`, or a name that only one server has. A server that does not come
 * up holds up nobody who can do without it: a bare name is looked for in the lists that are known, and only then asked
 * of servers that were never listed. Throws `not_found` with similar names, `conflict` with the full names if several
 * servers have it, and `unavailable` if the server did not start and its tools were never listed.
 */
export async function resolveTool(name: string, needs: ResolveNeeds): Promise<Resolved> {
  const { pools, natives } = needs;
  const dot = name.indexOf('.');
  const server = dot > 0 ? name.slice(0, dot) : '';
  const bare = name.slice(dot + 1);
  const native = natives.find((tool) => tool.name === bare);
  if (server === nativeServer && !pools.has(nativeServer) && native) {
    return { name: bare, bare, isQualified: true, native, primary: undefined };
  }
  const pool = pools.get(server);
  const why = pool ? undefined : needs.whyUnused(server);
  if (why !== undefined) throw notUsed(server, why);
  const tool = pool && (await findIn(pool, bare, needs));
  if (pool && tool) return { name, bare, isQualified: true, native, primary: { pool, tool } };
  return (await resolveBare(name, { ...needs, mayAsk: !pool })) ?? (await notFound(name, pool, needs));
}

/** `mayAsk`: whether servers that were never listed are asked when no other has the tool. */
async function resolveBare(name: string, needs: ResolveNeeds & { mayAsk: boolean }): Promise<Resolved | undefined> {
  const native = needs.natives.find((tool) => tool.name === name);
  const { listed, unlisted } = await partition([...needs.pools.values()]);
  const known = listed.flatMap(({ pool, tools }) => having(pool, tools, name));
  const isAsking = needs.mayAsk && known.length === 0 && !native;
  const asked = askAll(unlisted, name, needs.timeoutMs);
  const found = isAsking ? await asked : known;
  const primary = choosePrimary(found, needs.preferred, native !== undefined);
  if (found.length > 0 && !primary) {
    const names = found.map(({ pool }) => `${pool.server}.${name}`).join(', ');
    throw new RuntimeError(
      'conflict',
      `Several servers have a tool ${JSON.stringify(name)}: ${names}.`,
      'Call it by one of these names, or set the preferred server with set_tool_route.',
    );
  }
  if (!native && !primary) return undefined;
  return { name: primary ? `${primary.pool.server}.${name}` : name, bare: name, isQualified: false, native, primary };
}

/** Pools with the list that they had last, and those that were never listed. */
async function partition(pools: readonly Pool[]) {
  const all = await Promise.all(pools.map(async (pool) => ({ pool, tools: (await pool.knownTools())?.tools })));
  return {
    listed: all.flatMap(({ pool, tools }) => (tools ? [{ pool, tools }] : [])),
    unlisted: all.flatMap(({ pool, tools }) => (tools ? [] : [pool])),
  };
}

function having(pool: Pool, tools: readonly ToolDescription[], name: string): Found[] {
  const tool = tools.find((candidate) => candidate.name === name);
  return tool ? [{ pool, tool }] : [];
}

/** Starts servers to learn their tools. Resolves to those that have it when all have answered, or soon after the first. */
async function askAll(pools: readonly Pool[], name: string, timeoutMs: number): Promise<Found[]> {
  const found = new Map<Pool, Found>();
  let stopWaiting = () => {};
  const first = new Promise<void>((resolve) => {
    stopWaiting = resolve;
  });
  const asked = pools.map(async (pool) => {
    try {
      const [has] = having(pool, (await pool.tools({ isFresh: false, timeoutMs })).tools, name);
      if (!has) return;
      found.set(pool, has);
      stopWaiting();
    } catch {
      // A server that does not start must not hide the tools of the others.
    }
  });
  await Promise.race([Promise.all(asked), first.then(() => sleep(othersMs, undefined, { ref: false }))]);
  return pools.flatMap((pool) => found.get(pool) ?? []);
}

/**
 * The preferred server; or the only one that is not a backup of another. Beside a built-in tool, which is asked first,
 * the first of the config file. Undefined if it would have to be guessed.
 */
function choosePrimary(found: readonly Found[], preferred: readonly string[], hasNative: boolean): Found | undefined {
  for (const server of preferred) {
    const wanted = found.find(({ pool }) => pool.server === server);
    if (wanted) return wanted;
  }
  const backups = new Set(found.flatMap(({ pool }) => pool.settings.backups ?? []));
  const leading = found.filter(({ pool }) => !backups.has(pool.server));
  return leading.length === 1 || hasNative ? (leading[0] ?? found[0]) : undefined;
}

/** Looks in the known list, then in a fresh one, as the tool may be newer. Throws only if there is no list at all. */
async function findIn(
  pool: Pool,
  tool: string,
  { timeoutMs, said }: ResolveNeeds,
): Promise<ToolDescription | undefined> {
  const known = await pool.knownTools();
  const found = known?.tools.find(({ name }) => name === tool);
  if (found) return found;
  try {
    const { tools } = await pool.tools({ isFresh: true, timeoutMs });
    return tools.find(({ name }) => name === tool);
  } catch (error) {
    if (known) return undefined;
    const why = messageOf(error);
    if (error instanceof CallFailure && error.kind === 'needs_login') {
      throw new RuntimeError('not_configured', `The server ${pool.server} cannot be called: ${why}`, afterLogin);
    }
    throw new RuntimeError(
      'unavailable',
      `The server ${pool.server} did not start (${why}), and its tools have never been listed.${wordsOf([pool], said)}`,
      `Call list_tool_servers, or run: agent-runtime servers check ${pool.server}`,
      { cause: error },
    );
  }
}

/** What servers that are not up wrote at their end, as a quotation: a server's text must not pass for ours. */
export function wordsOf(pools: readonly Pool[], said: ResolveNeeds['said']): string {
  const down = pools.filter((pool) => !pool.isUp()).map((pool) => [pool.server, said(pool)] as const);
  return down
    .flatMap(([server, text]) => (text === undefined ? [] : ` ${server} wrote: ${JSON.stringify(text)}.`))
    .join('');
}

/** The one who calls is a model, and cannot log in. */
export const afterLogin = 'Ask the user to run that command in a terminal, and call the tool again afterwards.';

/** The error for a server whose entry of the config file is not used. */
export function notUsed(server: string, why: string): RuntimeError {
  return new RuntimeError(
    'not_configured',
    `The server ${server} ${why}.`,
    'Correct its entry in the config file, which is read again when it changes. agent-runtime doctor shows where it is.',
  );
}

async function notFound(name: string, pool: Pool | undefined, { pools, natives, said }: ResolveNeeds): Promise<never> {
  const { listed, unlisted } = await partition(pool ? [pool] : [...pools.values()]);
  const others = listed.flatMap(({ pool: { server }, tools }) => tools.map((tool) => `${server}.${tool.name}`));
  const similar = sharingWord(name, [...natives.map((tool) => tool.name), ...others]);
  const silent = unlisted.map(({ server }) => server).join(', ');
  throw new RuntimeError(
    'not_found',
    `There is no tool ${JSON.stringify(name)}.${similar.length > 0 ? ` Similar: ${similar.join(', ')}.` : ''}${
      silent === ''
        ? ''
        : ` Not known are the tools of ${silent}, which did not start so far.${wordsOf(unlisted, said)}`
    }`,
    pools.size + natives.length === 0
      ? 'No tool server is configured. To take over those of another client, run: agent-runtime servers import FILE'
      : `Call list_available_tools to see all names${silent === '' ? '' : ', and list_tool_servers for what is down'}.`,
  );
}
