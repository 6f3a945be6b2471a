import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ServerSettings } from '../../../src/base/server-settings.js';
import { keeperSocket } from '../../../src/downstream/connection/keeper-place.js';
import { lookAtKeeper } from '../../../src/downstream/connection/keeper-transport.js';
import type { KeeperView } from '../../../src/downstream/connection/keeper-wire.js';
import { systemProcesses } from '../../../src/runner/identity.js';
import { eventually } from '../../support/eventually.js';
import { endProcessesOf, processesOf } from '../../support/processes-of.js';
import { tempDir } from '../../support/temp-dir.js';
import { odd, type ToolRuntime, type ToolRuntimeOptions, textOf, toolRuntime } from '../tool-runtime.js';

export type Servers = Record<string, ServerSettings>;

/** A home that ends with all that was started in it. */
export function sharedHome(): string {
  const home = tempDir();
  onTestFinished(() => endProcessesOf(home));
  return home;
}

export function configure(home: string, mcpServers: Servers): string {
  mkdirSync(join(home, '.claude'), { recursive: true });
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ mcpServers }));
  return home;
}

/** An entry of the config file whose instances all sessions share. On a busy machine a start takes long. */
export const shared = (settings: Parameters<typeof odd>[0] = {}): ServerSettings =>
  odd({ shared: true, startTimeout: 60_000, ...settings });

export const openSession = (servers: Servers, home: string, more: ToolRuntimeOptions = {}): Promise<ToolRuntime> =>
  toolRuntime(servers, { home, ...more });

/** Two sessions of one home, each with a connection of its own to the database and to the keeper. */
export async function twoSessions(servers: Servers, home = sharedHome()): Promise<[ToolRuntime, ToolRuntime]> {
  return [await openSession(servers, home), await openSession(servers, home)];
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

export const socketOf = ({ config, clock }: ToolRuntime): string =>
  keeperSocket(config, systemProcesses(clock.bootId).self());

/** The keeper as it is now. */
export const viewOf = (session: ToolRuntime): Promise<KeeperView> =>
  eventually('the keeper answers', () => lookAtKeeper(socketOf(session), 30_000));
