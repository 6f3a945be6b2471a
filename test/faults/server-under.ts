import { spawnSync } from 'node:child_process';
import type { TestContext } from 'vitest';
import { mainEntry } from '../support/paths.js';
import { type RawServer, startRawServer } from '../support/raw-client.js';

/** A user with no rights of its own on most systems. */
export const nobody = 65_534;

/** The built server, started through programs that limit it. */
export async function serverUnder(
  limits: readonly string[],
  home: string,
  env: Record<string, string> = {},
): Promise<RawServer> {
  const [command = '', ...args] = [...limits, process.execPath, mainEntry];
  const server = startRawServer({ home, env, command, args });
  await server.initialize();
  return server;
}

/** Skips the test, in one line that says why, where a program is missing or this user may not do what it does. */
export function requires(context: TestContext, ...command: readonly string[]): void {
  const [program = '', ...args] = command;
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) context.skip(`\`${command.join(' ')}\` fails here: ${error?.message ?? stderr.trim()}`);
}

export interface Answer {
  isError: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of it by asserting it.
  data: any;
}

export async function callTool(server: RawServer, name: string, args: object = {}): Promise<Answer> {
  const { result, error } = await server.request('tools/call', { name, arguments: args });
  if (error) return { isError: true, data: error };
  if (result.isError === true) return { isError: true, data: JSON.parse(result.content[0].text).error };
  return { isError: false, data: result.structuredContent };
}

/** Makes a task, and reads it again. */
export async function makesTask(server: RawServer, title: string): Promise<void> {
  const made = await callTool(server, 'create_task', { title });
  if (made.isError) throw new Error(`create_task: ${JSON.stringify(made.data)}`);
  const { data } = await callTool(server, 'list_tasks', { limit: 50 });
  const titles = data.tasks.map((task: { title: string }) => task.title);
  if (!titles.includes(title)) throw new Error(`${title} is not among ${titles.join(', ')}`);
}
