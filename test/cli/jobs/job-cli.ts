import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { tempDir } from '../../support/temp-dir.js';
import { type CliOptions, runCli, startCli } from '../run-cli.js';

/** Takes minutes unless it is cancelled, which it notices within a batch. */
export const endless = { model: 'neural', dataset: 'iris', epochs: 10_000, batch_size: 1, hidden: 4_096 };

/** Takes ten seconds or more, with a log line every hundredth of its epochs. */
export const long = { model: 'neural', dataset: 'iris', epochs: 10_000, batch_size: 1, hidden: 512 };

/** The program in a home of its own. */
export function jobCli({ home = tempDir(), env = {} }: { home?: string; env?: Record<string, string> } = {}) {
  const dataDir = join(home, '.claude', 'agent_runtime');
  const run = (args: string[], options: Omit<CliOptions, 'home'> = {}) => runCli(args, { home, env, ...options });
  return {
    home,
    dataDir,
    run,
    start: (args: string[]) => startCli(args, { home, env }),
    /** Submits a job that must be accepted; resolves to its id. */
    async submit(type: string, payload: object, ...options: string[]): Promise<string> {
      const end = await run(['submit', '--type', type, '--config', JSON.stringify(payload), ...options, '--json']);
      expect([end.code, end.stderr]).toEqual([0, '']);
      return end.json().job_id;
    },
    async status(id: string) {
      return (await run(['status', '--job-id', id, '--json'])).json();
    },
    untilRunning: (id: string) =>
      eventually('the job runs', async () => {
        const { status } = (await run(['status', '--job-id', id, '--json'])).json();
        return status === 'running';
      }),
    /** A file below the data directory. */
    put(path: string, content: string | Uint8Array): string {
      const file = join(dataDir, path);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, content);
      return file;
    },
  };
}
