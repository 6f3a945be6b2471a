import { messageOf, RuntimeError } from '../../base/errors.js';
import { sharingWord } from '../../base/text.js';
import type { ToolDescription } from '../connection/tool-description.js';
import type { NativeTool } from '../native/define-native-tool.js';
import type { Pool } from '../pool/pool.js';

/** A source that can answer a call. */
export type Candidate =
  | { source: 'native'; name: string; tool: NativeTool }
  | { source: 'primary' | 'backup'; name: string; pool: Pool; tool: ToolDescription };

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
  natives: readonly NativeTool[];
  /** The servers to choose where several have the tool, in order of preference. */
  preferred: readonly string[];
  timeoutMs: number;
}

/** `native.search_arxiv` names the tool that is built in. */
export const nativeServer = 'native';

/**
 * Finds the tool that a name stands for: `server.tool`, or a name that only one server has. Throws `not_found` with
 * similar names, `conflict` with the full names if several servers have it, and `unavailable` if the server did not
 * start and its tools were never listed.
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
  const tool = pool && (await findIn(pool, bare, needs.timeoutMs));
  if (pool && tool) return { name, bare, isQualified: true, native, primary: { pool, tool } };
  return (await resolveBare(name, needs)) ?? (await notFound(name, pool, needs));
}

async function resolveBare(name: string, needs: ResolveNeeds): Promise<Resolved | undefined> {
  const native = needs.natives.find((tool) => tool.name === name);
  const lists = await Promise.all(
    [...needs.pools.values()].map(async (pool) => ({ pool, list: await listOf(pool, needs.timeoutMs) })),
  );
  const found = lists.flatMap(({ pool, list }) => {
    const tool = list.find((candidate) => candidate.name === name);
    return tool ? [{ pool, tool }] : [];
  });
  const preferred = needs.preferred.flatMap((server) => found.find(({ pool }) => pool.server === server) ?? []);
  const primary = preferred[0] ?? found[0];
  if (found.length > 1 && preferred.length === 0) {
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

/** The known list. A server without one is started to be asked. */
async function listOf(pool: Pool, timeoutMs: number): Promise<readonly ToolDescription[]> {
  try {
    return (await pool.tools({ isFresh: false, timeoutMs })).tools;
  } catch {
    // A server that does not start must not hide the tools of the others.
    return [];
  }
}

/** Looks in the known list, then in a fresh one, as the tool may be newer. Throws only if there is no list at all. */
async function findIn(pool: Pool, tool: string, timeoutMs: number): Promise<ToolDescription | undefined> {
  const known = await pool.knownTools();
  const found = known?.tools.find(({ name }) => name === tool);
  if (found) return found;
  try {
    const { tools } = await pool.tools({ isFresh: true, timeoutMs });
    return tools.find(({ name }) => name === tool);
  } catch (error) {
    if (known) return undefined;
    const why = messageOf(error);
    throw new RuntimeError(
      'unavailable',
      `The server ${pool.server} did not start (${why}), and its tools have never been listed.`,
      `Call list_tool_servers, or run: agent-runtime servers check ${pool.server}`,
      { cause: error },
    );
  }
}

async function notFound(name: string, pool: Pool | undefined, { pools, natives }: ResolveNeeds): Promise<never> {
  const searched = [...pools.values()].filter((candidate) => !pool || candidate === pool);
  const named = searched.map(async (candidate) => {
    const list = await candidate.knownTools();
    return (list?.tools ?? []).map((tool) => `${candidate.server}.${tool.name}`);
  });
  const names = [...natives.map((tool) => tool.name), ...(await Promise.all(named)).flat()];
  const similar = sharingWord(name, names);
  throw new RuntimeError(
    'not_found',
    `There is no tool ${JSON.stringify(name)}.${similar.length > 0 ? ` Similar: ${similar.join(', ')}.` : ''}`,
    pools.size + natives.length === 0
      ? 'No tool server is configured. To take over those of another client, run: agent-runtime servers import FILE'
      : 'Call list_available_tools to see all names.',
  );
}
