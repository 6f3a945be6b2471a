import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { Ledger } from './ledger.js';

// biome-ignore lint/suspicious/noExplicitAny: an actor knows what its tool returns.
export type Reply = { is: 'done'; data: any } | { is: 'refused'; code: string; message: string } | { is: 'unknown' };

export interface UserOptions {
  name: string;
  main: string;
  env: Record<string, string>;
  ledger: Ledger;
}

/** A person with an MCP client, who starts the server again whenever it is gone. */
export class User {
  readonly name: string;
  readonly ledger: Ledger;
  readonly #options: UserOptions;
  #client: Client | undefined;

  constructor(options: UserOptions) {
    this.name = options.name;
    this.ledger = options.ledger;
    this.#options = options;
  }

  /** `unknown`: there was no answer, or none that says whether it was carried out. */
  async call(name: string, args: Record<string, unknown> = {}): Promise<Reply> {
    const startedAt = performance.now();
    this.ledger.calls++;
    try {
      return this.#read(name, await within(callMs, this.#ask(name, args)));
    } catch {
      this.ledger.lost++;
      await this.close();
      return { is: 'unknown' };
    } finally {
      this.ledger.slowestMs = Math.max(this.ledger.slowestMs, performance.now() - startedAt);
    }
  }

  async #ask(name: string, args: Record<string, unknown>) {
    const client = await this.#connected();
    return client.callTool({ name, arguments: args }, undefined, { timeout: callMs });
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await within(closeMs, client?.close() ?? Promise.resolve()).catch(() => {});
  }

  async #connected(): Promise<Client> {
    if (this.#client) return this.#client;
    const { name, main, env } = this.#options;
    const transport = new StdioClientTransport({ command: process.execPath, args: [main], env, stderr: 'ignore' });
    const client = new Client({ name, version: '1' });
    client.onclose = () => {
      if (this.#client === client) this.#client = undefined;
    };
    this.#client = client;
    const startedAt = performance.now();
    await client.connect(transport, { timeout: callMs });
    // The first call of a tool opens the database.
    await client.callTool({ name: 'get_workers', arguments: {} }, undefined, { timeout: callMs });
    this.ledger.started(performance.now() - startedAt);
    return client;
  }

  #read(tool: string, reply: Awaited<ReturnType<Client['callTool']>>): Reply {
    // A tool of another server that failed in its own words has answered too.
    if (!reply.isError || reply.structuredContent) {
      this.ledger.acknowledged++;
      return { is: 'done', data: reply.structuredContent };
    }
    const [first] = reply.content as { text: string }[];
    const { code, message } = (JSON.parse(first?.text ?? '') as { error: { code: string; message: string } }).error;
    this.ledger.refused.set(code, (this.ledger.refused.get(code) ?? 0) + 1);
    if (code === 'internal') this.ledger.problem(`${tool} answered internal: ${message}`);
    // Whether it was carried out is not known of a call that was lost on its way.
    return code === 'unavailable' || code === 'timeout' ? { is: 'unknown' } : { is: 'refused', code, message };
  }
}

const callMs = 40_000;
const closeMs = 10_000;

/** The SDK's client waits for ever for a server to read that was killed between its answer and the next message. */
async function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Nothing within ${ms} ms.`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
