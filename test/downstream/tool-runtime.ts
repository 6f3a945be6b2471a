import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigFile } from '../../src/base/config-file.js';
import type { JsonObject } from '../../src/base/json.js';
import type { ServerSettings } from '../../src/base/server-settings.js';
import type { CallOutcome, CallRequest } from '../../src/downstream/routing/caller.js';
import type { Runtime } from '../../src/runtime.js';
import { projectRoot } from '../support/paths.js';
import { tempDir } from '../support/temp-dir.js';
import { type TestRuntimeOptions, testRuntime } from '../support/test-runtime.js';

export const oddServer = join(projectRoot, 'test', 'fixtures', 'servers', 'odd-server.mjs');

type Pooling = Omit<Extract<ServerSettings, { command: string }>, 'command' | 'args'>;

/** An entry of the config file that starts the odd server. */
export function odd(settings: Pooling = {}): ServerSettings {
  return { command: process.execPath, args: [oddServer], ...settings };
}

export interface ToolRuntime extends Runtime {
  home: string;
  call(tool: string, args?: JsonObject, more?: Partial<CallRequest>): Promise<CallOutcome>;
}

export interface ToolRuntimeOptions extends TestRuntimeOptions {
  config?: Omit<ConfigFile, 'mcpServers'>;
}

/** A runtime whose config file names these servers. They end with it. */
export async function toolRuntime(
  mcpServers: Record<string, ServerSettings>,
  { home = tempDir(), config = {}, ...options }: ToolRuntimeOptions = {},
): Promise<ToolRuntime> {
  mkdirSync(join(home, '.claude'), { recursive: true });
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ ...config, mcpServers }));
  const runtime = await testRuntime({ home, ...options });
  return Object.assign(runtime, {
    home,
    call: (tool: string, args: JsonObject = {}, more: Partial<CallRequest> = {}) =>
      runtime.downstream.call({ tool, args, signal: new AbortController().signal, ...more }),
  });
}

/** The text of a result. */
export function textOf({ result }: Pick<CallOutcome, 'result'>): string {
  return (result.content ?? []).map(({ text }) => text ?? '').join('');
}

/** The calls that servers have recorded in a file, as `NAME TOOL MARK`. */
export function notedCalls(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
}
