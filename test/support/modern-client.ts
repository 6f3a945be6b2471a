import { Client, type ClientOptions } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { onTestFinished } from 'vitest';
import { patience } from './mcp-client.js';
import { mainEntry } from './paths.js';

/** The version of the protocol that has no sessions. */
export const modern = '2026-07-28';

export interface ModernOptions {
  home: string;
  name?: string;
  capabilities?: ClientOptions['capabilities'];
  env?: Record<string, string>;
  cwd?: string;
  /** Called before it connects, to say how it answers. */
  prepare?: (client: Client) => void;
}

/** Starts the built server, and connects the SDK's client of the second generation, which speaks nothing but 2026-07-28. */
export async function connectModern({ home, name, capabilities, env = {}, cwd, prepare }: ModernOptions) {
  const client = new Client(
    { name: name ?? 'modern-client', version: '1' },
    { capabilities: capabilities ?? {}, versionNegotiation: { mode: { pin: modern } } },
  );
  prepare?.(client);
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [mainEntry],
    env: { HOME: home, PATH: '/usr/bin:/bin', ...env },
    cwd: cwd ?? home,
  });
  await client.connect(transport, patience);
  onTestFinished(() => client.close());
  return {
    client,
    /** Calls a tool that must succeed; resolves to its structured content. */
    async ok(tool: string, args: Record<string, unknown> = {}) {
      const reply = await client.callTool({ name: tool, arguments: args }, patience);
      if (reply.isError) throw new Error(`${tool} failed: ${JSON.stringify(reply.content)}`);
      // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a reply by asserting it.
      return reply.structuredContent as any;
    },
  };
}

/** The envelope of each request, as a client without a library writes it. */
export const envelope = (capabilities: object = {}) => ({
  'io.modelcontextprotocol/protocolVersion': modern,
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': capabilities,
});
