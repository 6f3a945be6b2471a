import { fileURLToPath } from 'node:url';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { JsonObject } from '../../base/json.js';
import { readConfig } from '../../config.js';
import { runnerEnvironment } from '../../runner/environment.js';

/** The structured result of a tool. */
export type Reply = Record<string, unknown>;

/** A server of the demo, with its client. */
export interface DemoServer {
  pid: number;
  call(tool: string, args?: JsonObject): Promise<Reply>;
  close(): Promise<void>;
}

/** Both servers of a demo serve the same conversation, as when a client is restarted and resumes. */
const conversation = 'demo';

/** Starts a server as an MCP client does, in a home of the demo. */
export async function startServer(home: string): Promise<DemoServer> {
  const [{ Client }, { StdioClientTransport }] = await Promise.all([
    import('@modelcontextprotocol/sdk/client/index.js'),
    import('@modelcontextprotocol/sdk/client/stdio.js'),
  ]);
  const { AGENT_RUNTIME_DB_PATH, AGENT_RUNTIME_CONFIG, AGENT_RUNTIME_DATA_DIR, ...keys } = runnerEnvironment(
    readConfig(),
  );
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [fileURLToPath(new URL('./main.js', import.meta.url))],
    env: { ...keys, HOME: home, CLAUDE_CODE_SESSION_ID: conversation, AGENT_RUNTIME_LOG_LEVEL: 'error' },
    stderr: 'inherit',
  });
  const client: Client = new Client({ name: 'agent-runtime-demo', version: '1' });
  await client.connect(transport);
  return {
    pid: transport.pid ?? 0,
    async call(tool, args = {}) {
      const reply = await client.callTool({ name: tool, arguments: args });
      const [content] = reply.content as { text: string }[];
      if (reply.isError) throw new Error(`${tool} failed: ${content?.text}`);
      return reply.structuredContent as Reply;
    },
    close: () => client.close(),
  };
}

/** The default model of a server; undefined for Claude Code, whose login is not in the temporary home. */
export function usableModel(status: Reply): string | undefined {
  const { default: model } = status.models as { default: string | null };
  return model === null || model.startsWith('claude-code') ? undefined : model;
}
