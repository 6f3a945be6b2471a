import { fileURLToPath } from 'node:url';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { type ErrorCode, messageOf, RuntimeError } from '../../base/errors.js';
import { type JsonObject, readJson } from '../../base/json.js';
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
  // Its database is a file of its home, also for users whose own is on a server.
  const { AGENT_RUNTIME_DB_PATH, AGENT_RUNTIME_CONFIG, AGENT_RUNTIME_DATA_DIR, ...keys } = runnerEnvironment({
    ...readConfig(),
    dbUrl: undefined,
  });
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
      if (reply.isError) throw failureOf(tool, content?.text ?? '');
      return reply.structuredContent as Reply;
    },
    close: () => client.close(),
  };
}

function failureOf(tool: string, text: string): RuntimeError {
  const { error } = readJson<{ error: { code: ErrorCode; message: string; hint?: string } }>(text);
  return new RuntimeError(error.code, `${tool} failed: ${error.message}`, error.hint);
}

/** How long a model may take for one word. */
const probeSeconds = 15;

/** Asks the model for one word. Resolves to why it gave none, or to undefined when it answers. */
export async function whyModelIsSilent(server: DemoServer, model: string): Promise<string | undefined> {
  try {
    const { task_id } = await server.call('submit_background_task', {
      task_description: 'Answer with the one word: ready.',
      model,
      max_attempts: 1,
      timeout_seconds: probeSeconds,
    });
    const waited = await server.call('wait_for_tasks', {
      task_ids: [String(task_id)],
      timeout_seconds: probeSeconds + 5,
    });
    const [job] = waited.tasks as { status: string; error?: { message: string } }[];
    if (job?.status === 'completed') return undefined;
    if (waited.done !== true) await server.call('cancel_task', { task_id: String(task_id) });
    return job?.error?.message ?? `it did not answer within ${probeSeconds} s`;
  } catch (error) {
    return messageOf(error);
  }
}

/** The default model of a server; undefined for Claude Code, whose login is not in the temporary home. */
export function usableModel(status: Reply): string | undefined {
  const { default: model } = status.models as { default: string | null };
  return model === null || model.startsWith('claude-code') ? undefined : model;
}
