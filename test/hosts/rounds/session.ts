import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

// biome-ignore lint/suspicious/noExplicitAny: whoever calls a tool knows what it returns.
export type Reply = { is: 'done'; data: any } | { is: 'refused'; code: string; message: string } | { is: 'gone' };

/** A server process of a session, spoken to line by line; it runs on another host, so its pipes are all that leads there. */
export class Session {
  readonly name: string;
  readonly #child: ChildProcess;
  // biome-ignore lint/suspicious/noExplicitAny: a message of the protocol.
  readonly #waiting = new Map<number, (message: any) => void>();
  #lastId = 0;
  #hasEnded = false;

  constructor(name: string, command: readonly string[], env: Record<string, string>) {
    this.name = name;
    const [program = '', ...args] = command;
    this.#child = spawn(program, args, { env, cwd: env.HOME, stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child.stdin?.on('error', () => {});
    this.#child.on('close', () => {
      this.#hasEnded = true;
      for (const answer of this.#waiting.values()) answer(undefined);
      this.#waiting.clear();
    });
    if (this.#child.stdout) {
      createInterface({ input: this.#child.stdout }).on('line', (line) => {
        const message = JSON.parse(line);
        this.#waiting.get(message.id)?.(message);
        this.#waiting.delete(message.id);
      });
    }
  }

  async begin(): Promise<void> {
    const clientInfo = { name: this.name, version: '1' };
    await this.#request('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
    this.#write({ jsonrpc: '2.0', method: 'notifications/initialized' });
  }

  /** `gone`: the process has ended without an answer. */
  async call(name: string, args: object = {}): Promise<Reply> {
    const message = await this.#request('tools/call', { name, arguments: args });
    if (message === undefined) return { is: 'gone' };
    if (message.error) return { is: 'refused', code: 'protocol', message: message.error.message };
    const { isError, content, structuredContent } = message.result;
    if (!isError) return { is: 'done', data: structuredContent };
    const { code, message: text } = JSON.parse(content[0].text).error;
    return { is: 'refused', code, message: text };
  }

  /** Resolves when it has ended by itself, as its client has gone. */
  async close(): Promise<void> {
    if (this.#hasEnded) return;
    const ended = new Promise((resolve) => this.#child.on('close', resolve));
    this.#child.stdin?.end();
    await ended;
  }

  // biome-ignore lint/suspicious/noExplicitAny: a message of the protocol.
  #request(method: string, params: object): Promise<any> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      if (this.#hasEnded) return resolve(undefined);
      this.#waiting.set(id, resolve);
      this.#write({ jsonrpc: '2.0', id, method, params });
    });
  }

  #write(message: object): void {
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`);
  }
}
