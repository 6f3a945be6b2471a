import { createHash } from 'node:crypto';
import type { EpochMs } from '../../base/clock.js';
import { isObject } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { ToolDescription } from '../connection/tool-description.js';

/**
 * What tools said of themselves at first sight. A model acts on descriptions, so a server that changes one after people
 * have begun to use it may be up to something (OWASP MCP Top 10, tool poisoning).
 */

/** Remembers tools that were never seen before. What is known of the others stays. */
export async function rememberTools(
  sql: Sql,
  server: string,
  tools: readonly ToolDescription[],
  at: EpochMs,
): Promise<void> {
  for (const tool of tools) {
    await sql.run(
      'insert into known_tools (server, tool, digest, seen_at) values (?, ?, ?, ?) on conflict (server, tool) do nothing',
      server,
      tool.name,
      digestOf(tool),
      at,
    );
  }
}

/** What the tools of a list say of themselves, by name. To make them takes long for large schemas: once for each list. */
export type Digests = ReadonlyMap<string, string>;

export const digestsOf = (tools: readonly ToolDescription[]): Digests =>
  new Map(tools.map((tool) => [tool.name, digestOf(tool)]));

/** The names of the tools that are not as they were when they were first seen or last accepted. */
export async function changedTools(sql: Sql, server: string, digests: Digests): Promise<Set<string>> {
  const rows = await sql.all<{ tool: string; digest: string }>(
    'select tool, digest from known_tools where server = ?',
    server,
  );
  const known = new Map(rows.map(({ tool, digest }) => [tool, digest]));
  return new Set([...digests].flatMap(([name, digest]) => ((known.get(name) ?? digest) === digest ? [] : [name])));
}

/** Takes tools as they are now for what they should be. */
export async function acceptTools(
  sql: Sql,
  server: string,
  tools: readonly ToolDescription[],
  at: EpochMs,
): Promise<void> {
  await sql.run('delete from known_tools where server = ?', server);
  await rememberTools(sql, server, tools, at);
}

function digestOf({ name, description = '', inputSchema = {} }: ToolDescription): string {
  return createHash('sha256')
    .update(JSON.stringify([name, description, sorted(inputSchema)]))
    .digest('hex');
}

/** With its keys in order: a server may list the same schema in another order each time. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}
