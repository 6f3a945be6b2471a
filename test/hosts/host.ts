import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ConfigFile } from '../../src/base/config-file.js';
import { isLive, type RunnerRow } from '../../src/core/jobs/runners.js';
import type { Runtime } from '../../src/runtime.js';
import { plainAgent } from '../agents/modules/workshop.js';
import { type CliEnd, runCli, startCli } from '../cli/run-cli.js';
import { type Answer, callTool } from '../faults/server-under.js';
import { eventually } from '../support/eventually.js';
import { type RawServer, startRawServer } from '../support/raw-client.js';
import { tempDir } from '../support/temp-dir.js';
import { testRuntime } from '../support/test-runtime.js';

/** What each host can do: a command that runs until a file is there, and agents that save and read files. */
export interface HostOptions {
  /** The address of the database that it shares. */
  url: string;
  /** What its clock is ahead of the machine's. */
  aheadMs?: number;
  /** Where its modules are, at the same place on each host; it has none unless given. */
  modulesDir?: string;
}

/** A host as the others see it: a name, a home and a clock of its own. */
export interface Host {
  home: string;
  /** Opens the gate for which the command `hold` waits. */
  open(): void;
  /** A runtime of this process that takes itself for one of this host. */
  runtime(): Promise<Runtime>;
  /** A session's server process. */
  session(): Promise<HostSession>;
  /** Runs a command there; resolves when it has ended. */
  cli(args: string[], stdin: string): Promise<CliEnd>;
  /** A worker that is at work; it takes jobs that require `label`. */
  worker(label: string): Promise<HostWorker>;
}

export interface HostSession {
  server: RawServer;
  call(name: string, args?: object): Promise<Answer>;
}

export type HostWorker = ReturnType<typeof startCli>;

/** Makes a host of a name; its processes end with the test. */
export function hostNamed(name: string, { url, aheadMs = 0, modulesDir }: HostOptions): Host {
  const home = tempDir();
  const gate = join(home, 'gate');
  const modules = Object.entries(modulesDir === undefined ? {} : { save: saving, read: reading });
  for (const [module, text] of modules) writeFileSync(join(modulesDir ?? '', `${module}.mjs`), text);
  writeFileSync(join(home, 'clock.cjs'), `const now = Date.now; Date.now = () => now() + ${aheadMs};`);
  mkdirSync(join(home, '.claude'));
  const config: ConfigFile = {
    agents: modules.map(([module]) => join(modulesDir ?? '', `${module}.mjs`)),
    commands: {
      hold: { program: 'sh', args: ['-c', `while [ ! -e '${gate}' ]; do sleep 0.05; done; echo done`] },
    },
  };
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify(config));
  const env = { AGENT_RUNTIME_DB_URL: url, AGENT_RUNTIME_HOST_ID: name };
  const ofProcess = aheadMs === 0 ? env : { ...env, NODE_OPTIONS: `--require ${join(home, 'clock.cjs')}` };
  const dataDir = join(home, '.claude', 'agent_runtime');
  return {
    home,
    open: () => writeFileSync(gate, ''),
    async runtime() {
      const runtime = await testRuntime({ home, env: { ...env, AGENT_RUNTIME_DATA_DIR: dataDir } });
      onTestFinished(() => endRunners(runtime));
      return runtime;
    },
    async session() {
      const server = startRawServer({ home, env: ofProcess });
      await server.initialize();
      return { server, call: (tool, args) => callTool(server, tool, args) };
    },
    cli: (args, stdin) => runCli(args, { home, env: ofProcess, stdin }),
    async worker(label) {
      const cli = startCli(['worker', '--provides', label], { home, env: ofProcess });
      await eventually('the worker is at work', async () => cli.stderr().includes('Ctrl-C or SIGTERM'));
      return cli;
    },
  };
}

/** Runners outlive the sessions and workers that have started them. */
export async function endRunners({ db }: Pick<Runtime, 'db'>): Promise<void> {
  const runners = await db.all<RunnerRow>(`select * from runners where ${isLive} and pid is not null`);
  for (const { pid } of runners) if (pid !== null) kill(pid);
}

function kill(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

const saving = plainAgent(
  'save',
  "await context.saveArtifact('data.bin', Buffer.alloc(2_500_000, 7)); await context.saveArtifact('none.txt', ''); return {};",
);

const reading = `import { readFileSync } from 'node:fs';
  ${plainAgent(
    'read',
    `const [{ artifacts }] = await context.dependencies();
     return artifacts.map(({ path }) => [path, readFileSync(path).length]);`,
  )}`;
