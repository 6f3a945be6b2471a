import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.js';
import { readJson } from '../../base/json.js';
import { recordEvent } from '../../core/events/events.js';
import type { Database } from '../../store/sql.js';
import type { ToolDescription } from '../connection/tool-description.js';

export interface ToolList {
  tools: readonly ToolDescription[];
  listedAt: number;
}

export type ToolLists = ReturnType<typeof createToolLists>;

/** The last good list of each server, shared by all sessions: what is known of one that is down, or not started yet. */
export function createToolLists({ db, clock }: { db: Database; clock: Clock }) {
  return {
    async get(server: string): Promise<ToolList | undefined> {
      const row = await db.get<{ tools: string; listed_at: number }>(
        'select tools, listed_at from tool_lists where server = ?',
        server,
      );
      return row && { tools: readJson<ToolDescription[]>(row.tools), listedAt: row.listed_at };
    },

    /** Keeps a list; a change of what was known is an event, for a description is what a model goes by. */
    async keep(server: string, tools: readonly ToolDescription[]): Promise<ToolList> {
      const now = clock.now();
      const text = JSON.stringify(tools);
      const digest = createHash('sha256').update(text).digest('hex');
      await db.transaction(async (sql) => {
        const known = await sql.get<{ tools: string; digest: string }>(
          'select tools, digest from tool_lists where server = ?',
          server,
        );
        await sql.run(
          `insert into tool_lists (server, tools, digest, listed_at) values (?, ?, ?, ?)
           on conflict (server) do update set tools = excluded.tools, digest = excluded.digest, listed_at = excluded.listed_at`,
          server,
          text,
          digest,
          now,
        );
        if (!known || known.digest === digest) return;
        const data = differences(readJson<ToolDescription[]>(known.tools), tools);
        await recordEvent(sql, { at: now, subject: 'server', subjectId: server, type: 'tools_changed', data });
      });
      return { tools, listedAt: now };
    },
  };
}

/** How many names of each kind an event holds. */
const mostNames = 20;

function differences(before: readonly ToolDescription[], after: readonly ToolDescription[]) {
  const old = new Map(before.map((tool) => [tool.name, JSON.stringify(tool)]));
  const current = new Map(after.map((tool) => [tool.name, JSON.stringify(tool)]));
  const names = (found: Iterable<string>) => [...found].slice(0, mostNames);
  return {
    added: names([...current.keys()].filter((name) => !old.has(name))),
    removed: names([...old.keys()].filter((name) => !current.has(name))),
    changed: names([...current].filter(([name, text]) => (old.get(name) ?? text) !== text).map(([name]) => name)),
  };
}
