import { createHash } from 'node:crypto';
import { exposesTools, type ServerSettings } from '../base/server-settings.js';
import type { ToolDescription } from './connection/tool-description.js';
import type { Pool } from './pool/pool.js';

/** A tool of another server that stands among our own. */
export interface ExposedTool {
  /** `server__tool`, of the characters and the length that every client takes. */
  name: string;
  server: string;
  tool: ToolDescription;
  /** Not as it was at first sight, and not accepted since. */
  isChanged: boolean;
}

export interface Exposure {
  tools: ExposedTool[];
  /** What is not as the config file wants it, by server. */
  problems: ReadonlyMap<string, readonly string[]>;
  /** The servers whose tools are wanted and were never listed. */
  unlisted: readonly string[];
}

type Chosen = Omit<ExposedTool, 'name'> & {
  /** What follows `server__`. */
  as: string;
};

/** Clients, and the models behind them, take names of these characters alone, and no longer ones. */
const longestName = 64;
const hashLength = 6;

/** A start in the background waits for a server that is being installed. */
const startMs = 60_000;

/**
 * The tools that the settings of these servers put among ours. Nobody waits for a server: one that is down has the tools
 * of its last list, and one that was never listed is started in the background (unless told otherwise) and has them later.
 */
export async function exposeTools(
  pools: readonly Pool[],
  { isStarting = true }: { isStarting?: boolean } = {},
): Promise<Exposure> {
  const chosen: Chosen[] = [];
  const problems = new Map<string, string[]>();
  const unlisted: string[] = [];
  const complain = (server: string, problem: string) => {
    problems.set(server, [...(problems.get(server) ?? []), problem]);
  };
  for (const pool of pools) {
    const { server, settings } = pool;
    if (!exposesTools(settings)) continue;
    const list = await pool.newestTools();
    if (!list) {
      unlisted.push(server);
      // What keeps it from starting is told by whoever shows the servers.
      if (isStarting) pool.tools({ isFresh: false, timeoutMs: startMs, isPatient: true }).catch(() => {});
      continue;
    }
    const changed = await pool.changedTools();
    const { found, missing } = choose(list.tools, settings);
    for (const problem of problemsOf(found)) complain(server, problem);
    for (const name of missing)
      complain(server, `expose names the tool ${JSON.stringify(name)}, which it does not have`);
    chosen.push(
      ...found.filter(isUsable).map(({ tool, as }) => ({ server, tool, as, isChanged: changed.has(tool.name) })),
    );
  }
  return { tools: named(chosen, complain), problems, unlisted };
}

/** The tools of a list that `expose` chooses, and the names in it that no tool has. */
function choose(
  listed: readonly ToolDescription[],
  { expose }: ServerSettings,
): { found: { tool: ToolDescription; as: string }[]; missing: string[] } {
  const {
    allow,
    deny = [],
    rename = {},
  } = Array.isArray(expose) ? { allow: expose } : typeof expose === 'object' ? expose : {};
  const tools = new Map(listed.map((tool) => [tool.name, tool]));
  const wanted = [...tools.values()].filter(
    ({ name }) => (allow === undefined || allow.includes(name)) && !deny.includes(name),
  );
  const names = new Set([...(allow ?? []), ...deny, ...Object.keys(rename)]);
  return {
    found: wanted.map((tool) => ({ tool, as: (Object.hasOwn(rename, tool.name) && rename[tool.name]) || tool.name })),
    missing: [...names].filter((name) => !tools.has(name)),
  };
}

/** Every session reads the whole list at its start, and clients refuse what is too long. */
const mostOfServer = 300;
const longestTool = 50_000;

const lengthOf = ({ tool }: { tool: ToolDescription }): number => JSON.stringify(tool).length;
const isUsable = (found: { tool: ToolDescription }, index: number): boolean =>
  index < mostOfServer && lengthOf(found) <= longestTool;

function problemsOf(found: readonly { tool: ToolDescription }[]): string[] {
  const long = found.slice(0, mostOfServer).filter((each) => lengthOf(each) > longestTool);
  const left = found.length - mostOfServer;
  return [
    ...(left > 0 ? [`${left} of its ${found.length} tools are not listed: name those that you want in expose`] : []),
    ...long.map((each) => `${each.tool.name} is not listed: what it says of itself has ${lengthOf(each)} characters`),
  ];
}

/**
 * The tools under the names that clients see. Two that would have the same name both get the mark of a long one: neither
 * may take over calls, or permissions, that were meant for the other.
 */
function named(chosen: readonly Chosen[], complain: (server: string, problem: string) => void): ExposedTool[] {
  const plain = chosen.map(({ server, as }) => nameOf(server, as));
  const counts = new Map<string, number>();
  for (const name of plain) counts.set(name, (counts.get(name) ?? 0) + 1);
  const taken = new Set<string>();
  return chosen.flatMap(({ as, ...tool }, index) => {
    const own = plain[index] ?? '';
    const isShared = (counts.get(own) ?? 0) > 1;
    const name = isShared ? marked(own, tool) : own;
    if (isShared) {
      const others = chosen.filter((other, at) => plain[at] === own && other.tool !== tool.tool).map(fullName);
      complain(tool.server, `${tool.tool.name} is listed as ${name}: ${own} would be ${others.join(', ')} too`);
    }
    if (taken.has(name)) {
      complain(tool.server, `${tool.tool.name} is not listed: another tool has its name ${name}`);
      return [];
    }
    taken.add(name);
    return [{ name, ...tool }];
  });
}

function nameOf(server: string, as: string): string {
  const name = `${server}__${as.replaceAll(/[^A-Za-z0-9_-]/g, '_')}`;
  return name.length <= longestName ? name : marked(name, { server, tool: { name: as } });
}

/** The name with a mark that is always the same for the same tool, shortened to make room for it. */
function marked(name: string, tool: Pick<Chosen, 'server' | 'tool'>): string {
  const mark = createHash('sha256').update(fullName(tool)).digest('hex').slice(0, hashLength);
  return `${name.slice(0, longestName - hashLength - 1)}_${mark}`;
}

const fullName = ({ server, tool }: Pick<Chosen, 'server' | 'tool'>): string => `${server}.${tool.name}`;
