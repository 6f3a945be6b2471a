import { messageOf, RuntimeError } from '../../base/errors.js';
import { sharingWord } from '../../base/text.js';
import type { ToolDescription } from '../connection/tool-description.js';
import type { NativeTool } from '../native/define-native-tool.js';
import type { Pool } from '../pool/pool.js';

/** Somebody who can answer a call. */
export type Candidate =
  | { source: 'native'; name: string; tool: NativeTool }
  | { source: 'primary' | 'backup'; name: string; pool: Pool; tool: ToolDescription };

/** What a caller's name of a tool stands for. */
export interface Resolved {
  /** `server.tool`, or the bare name of a native one: what cache, routes and counts go by. */
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
  /** Servers to be taken where several have the tool, the liked ones first. */
  liked: readonly string[];
  timeoutMs: number;
}

/** `native.search_arxiv` names the tool that this program has itself. */
export const nativeServer = 'native';

/**
 * Finds the tool that a name stands for: `server.tool`, or a name that one server alone has. Throws `not_found` with
 * names that are near, `conflict` with the full names where several have it.
 */
export async function resolveTool(name: string, needs: ResolveNeeds): Promise<Resolved> {
  const { pools, natives } = needs;
  const dot = name.indexOf('.');
  const server = dot > 0 ? name.slice(0, dot) : '';
  const own = name.slice(dot + 1);
  if (server === nativeServer && !pools.has(nativeServer)) {
    const native = natives.find((tool) => tool.name === own);
    if (native) return { name: own, bare: own, isQualified: true, native, primary: undefined };
  }
  const pool = pools.get(server);
  const named = pool && (await findIn(pool, own, needs.timeoutMs));
  if (pool && named) {
    const native = natives.find((tool) => tool.name === own);
    return { name, bare: own, isQualified: true, native, primary: { pool, tool: named } };
  }
  return (await resolveBare(name, needs)) ?? (await notFound(name, pool, needs));
}

async function resolveBare(
  name: string,
  { pools, natives, liked, timeoutMs }: ResolveNeeds,
): Promise<Resolved | undefined> {
  const native = natives.find((tool) => tool.name === name);
  const found: { pool: Pool; tool: ToolDescription }[] = [];
  const lists = await Promise.all(
    [...pools.values()].map(async (pool) => ({ pool, list: await listOf(pool, timeoutMs) })),
  );
  for (const { pool, list } of lists) {
    const tool = list.find((candidate) => candidate.name === name);
    if (tool) found.push({ pool, tool });
  }
  const wanted = liked.flatMap((server) => found.find(({ pool }) => pool.server === server) ?? []);
  const primary = wanted[0] ?? found[0];
  if (found.length > 1 && wanted.length === 0) {
    const names = found.map(({ pool }) => `${pool.server}.${name}`).join(', ');
    throw new RuntimeError(
      'conflict',
      `Several servers have a tool ${JSON.stringify(name)}: ${names}.`,
      'Name one of these, or say with set_tool_route which is to be preferred.',
    );
  }
  if (!native && !primary) return undefined;
  return { name: primary ? `${primary.pool.server}.${name}` : name, bare: name, isQualified: false, native, primary };
}

/** A list that is known is not asked for again; a server that has never been seen is started to be asked. */
async function listOf(pool: Pool, timeoutMs: number): Promise<readonly ToolDescription[]> {
  try {
    return (await pool.tools({ isFresh: false, timeoutMs })).tools;
  } catch {
    // One server that does not start is no reason not to find a tool of another.
    return [];
  }
}

/** In the list that is known, else in a new one: the tool may be younger. Throws only if there is no list at all. */
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
      `The server ${pool.server} did not come up (${why}), and its tools are not known from before.`,
      `See list_tool_servers, or run: agent-runtime servers check ${pool.server}`,
      { cause: error },
    );
  }
}

async function notFound(name: string, pool: Pool | undefined, needs: ResolveNeeds): Promise<never> {
  const servers = [...needs.pools.values()].filter((candidate) => !pool || candidate === pool);
  const known = await Promise.all(
    servers.map(async (candidate) => ({ candidate, list: await candidate.knownTools() })),
  );
  const names = [
    ...needs.natives.map((tool) => tool.name),
    ...known.flatMap(({ candidate, list }) => (list?.tools ?? []).map((tool) => `${candidate.server}.${tool.name}`)),
  ];
  const near = sharingWord(name, names);
  throw new RuntimeError(
    'not_found',
    `There is no tool ${JSON.stringify(name)}.${near.length > 0 ? ` Near: ${near.join(', ')}.` : ''}`,
    needs.pools.size + needs.natives.length === 0
      ? 'No server is configured: agent-runtime servers import FILE takes over those of another client.'
      : 'Call list_available_tools.',
  );
}
