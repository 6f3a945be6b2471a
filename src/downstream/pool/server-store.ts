import { createHash } from 'node:crypto';
import type { Clock, EpochMs } from '../../base/clock.js';
import { type JsonObject, readJson } from '../../base/json.js';
import type { Actor } from '../../core/actor.js';
import { recordEvent } from '../../core/events/events.js';
import type { Database } from '../../store/sql.js';
import type { ListKind } from '../connection/connection.js';
import type { ToolDescription } from '../connection/tool-description.js';
import { acceptTools, changedTools, type Digests, digestsOf, rememberTools } from './known-tools.js';

export interface ToolList {
  tools: readonly ToolDescription[];
  listedAt: EpochMs;
}

/** What all sessions share about a server: its last tool list, and how many instances each session keeps of it. */
export class ServerStore {
  readonly #db: Database;
  readonly #clock: Clock;

  constructor({ db, clock }: { db: Database; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  /** The last list that the server gave to any session, also while it is down or not started yet. */
  async toolList(server: string): Promise<ToolList | undefined> {
    const row = await this.#db.get<{ tools: string; listed_at: EpochMs }>(
      'select tools, listed_at from tool_lists where server = ?',
      server,
    );
    return row && { tools: readJson<ToolDescription[]>(row.tools), listedAt: row.listed_at };
  }

  /** Stores a list. A changed list is an event, because a model acts on the descriptions. */
  async saveToolList(server: string, tools: readonly ToolDescription[]): Promise<ToolList> {
    const now = this.#clock.now();
    const text = JSON.stringify(tools);
    const digest = createHash('sha256').update(text).digest('hex');
    await this.#db.transaction(async (sql) => {
      const known = await sql.get<{ tools: string; digest: string }>(
        'select tools, digest from tool_lists where server = ?',
        server,
      );
      // A list of before this was looked at counts as the first sight.
      if (known && known.digest !== digest)
        await rememberTools(sql, server, readJson<ToolDescription[]>(known.tools), now);
      await rememberTools(sql, server, tools, now);
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
  }

  /** The names of the tools that are not as they were at first sight, and that nobody has accepted since. */
  changedTools(server: string, digests: Digests): Promise<ReadonlySet<string>> {
    return changedTools(this.#db, server, digests);
  }

  /** What the server listed last to any session: its resources, their templates or its prompts. */
  async list(server: string, kind: ListKind): Promise<readonly JsonObject[] | undefined> {
    const text = await this.#listText(server, kind);
    return text === undefined ? undefined : readJson<JsonObject[]>(text);
  }

  /** Keeps a list. Most are as they were, and cost no write. */
  async saveList(server: string, kind: ListKind, items: readonly JsonObject[]): Promise<void> {
    const text = JSON.stringify(items);
    if (text === (await this.#listText(server, kind))) return;
    await this.#db.run(
      `insert into server_lists (server, kind, items, listed_at) values (?, ?, ?, ?)
       on conflict (server, kind) do update set items = excluded.items, listed_at = excluded.listed_at`,
      server,
      kind,
      text,
      this.#clock.now(),
    );
  }

  /** Takes the tools of the last list as they are; resolves to the names of those that had changed. */
  async acceptTools(server: string, actor: Actor): Promise<string[]> {
    const at = this.#clock.now();
    return this.#db.transaction(async (sql) => {
      const row = await sql.get<{ tools: string }>('select tools from tool_lists where server = ?', server);
      const tools = row ? readJson<ToolDescription[]>(row.tools) : [];
      const accepted = [...(await changedTools(sql, server, digestsOf(tools)))];
      await acceptTools(sql, server, tools, at);
      const data = { tools: accepted.slice(0, mostNames) };
      if (accepted.length > 0) {
        await recordEvent(sql, { at, actor, subject: 'server', subjectId: server, type: 'tools_accepted', data });
      }
      return accepted;
    });
  }

  /** How many instances were asked for by `setInstances`; undefined if they never were, so that the config file counts. */
  async instances(server: string): Promise<number | undefined> {
    const row = await this.#db.get<{ instances: number }>(
      'select instances from tool_server_scales where server = ?',
      server,
    );
    return row?.instances;
  }

  async setInstances(server: string, instances: number, actor: Actor): Promise<void> {
    const at = this.#clock.now();
    await this.#db.transaction(async (sql) => {
      await sql.run(
        `insert into tool_server_scales (server, instances, updated_at) values (?, ?, ?)
         on conflict (server) do update set instances = excluded.instances, updated_at = excluded.updated_at`,
        server,
        instances,
        at,
      );
      await recordEvent(sql, { at, actor, subject: 'server', subjectId: server, type: 'scaled', data: { instances } });
    });
  }

  async #listText(server: string, kind: ListKind): Promise<string | undefined> {
    const row = await this.#db.get<{ items: string }>(
      'select items from server_lists where server = ? and kind = ?',
      server,
      kind,
    );
    return row?.items;
  }
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
