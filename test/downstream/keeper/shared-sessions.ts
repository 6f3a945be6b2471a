import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ServerSettings } from '../../../src/base/server-settings.js';
import { endProcessesOf, processesOf } from '../../support/processes-of.js';
import { tempDir } from '../../support/temp-dir.js';
import { odd, type ToolRuntime, textOf, toolRuntime } from '../tool-runtime.js';

/** A home that ends with all that was started in it. */
export function sharedHome(): string {
  const home = tempDir();
  onTestFinished(() => endProcessesOf(home));
  return home;
}

/** An entry of the config file whose instances all sessions share. */
export const shared = (settings: Parameters<typeof odd>[0] = {}): ServerSettings => odd({ shared: true, ...settings });

/** Sessions of one home with the same servers, each with a connection of its own to the database and the keeper. */
export async function sessions(
  count: number,
  servers: Record<string, ServerSettings>,
  home = sharedHome(),
): Promise<ToolRuntime[]> {
  const opened: ToolRuntime[] = [];
  while (opened.length < count) opened.push(await toolRuntime(servers, { home }));
  return opened;
}

export const pidOf = async ({ call }: ToolRuntime, server = 'odd'): Promise<number> =>
  Number(textOf(await call(`${server}.pid`)));

/** The processes of a home whose command line names this file. */
export function running(home: string, file: 'server-keeper.js' | 'odd-server.mjs'): number[] {
  return processesOf(home).filter((pid) => {
    try {
      return readFileSync(join('/proc', String(pid), 'cmdline'), 'utf8').includes(file);
    } catch {
      return false;
    }
  });
}

export async function keeperOf(runtime: ToolRuntime): Promise<number> {
  const [view] = await runtime.downstream.servers();
  return view?.keeperPid ?? 0;
}
