import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { onTestFinished } from 'vitest';
import { mainEntry } from './paths.js';

/** For calls that may take long: the SDK's own limit of 60 s is short for a machine that does much else. */
export const patience = { timeout: 300_000 };

export interface ServerOptions {
  home: string;
  env?: Record<string, string>;
  /** The Node and arguments to start; the built program unless given. */
  command?: string;
  args?: string[];
  /** Where the client starts the server; its home, which is no project, unless given. */
  cwd?: string;
}

export interface ToolReply {
  isError: boolean;
  text: string;
  /** structuredContent, or the parsed error. */
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a reply by asserting it.
  data: any;
}

export interface ConnectedServer {
  client: Client;
  pid: number;
  /** Calls a tool as a client does; a failure is a reply, not a throw. */
  call(name: string, args?: Record<string, unknown>): Promise<ToolReply>;
  /** Calls a tool that must succeed; resolves to its structured content. */
  // biome-ignore lint/suspicious/noExplicitAny: see ToolReply.data.
  ok(name: string, args?: Record<string, unknown>): Promise<any>;
  /** All that the server has written to stderr. */
  stderr(): string;
  close(): Promise<void>;
}

/** Starts the built server with an environment of its own, and connects the SDK's own client to it. */
export async function connectServer(options: ServerOptions): Promise<ConnectedServer> {
  const transport = new StdioClientTransport({
    command: options.command ?? process.execPath,
    args: options.args ?? [mainEntry],
    env: { HOME: options.home, PATH: '/usr/bin:/bin', ...options.env },
    cwd: options.cwd ?? options.home,
    stderr: 'pipe',
  });
  let stderr = '';
  transport.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const client = new Client({ name: 'test-client', version: '1.0.0' });
  await client.connect(transport, patience);
  onTestFinished(() => client.close());

  async function call(name: string, args: Record<string, unknown> = {}): Promise<ToolReply> {
    const reply = await client.callTool({ name, arguments: args }, undefined, patience);
    const [first] = reply.content as { text: string }[];
    const text = first?.text ?? '';
    const isError = reply.isError === true;
    return { isError, text, data: isError ? JSON.parse(text).error : reply.structuredContent };
  }

  return {
    client,
    pid: transport.pid ?? 0,
    call,
    async ok(name, args) {
      const reply = await call(name, args);
      if (reply.isError) throw new Error(`${name} failed: ${reply.text}`);
      return reply.data;
    },
    stderr: () => stderr,
    close: () => client.close(),
  };
}
