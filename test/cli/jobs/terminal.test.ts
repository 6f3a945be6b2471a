import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { mainEntry } from '../../support/paths.js';
import { jobCli } from './job-cli.js';

/** From util-linux: runs a command in a new terminal, and prints what that shows. */
const script = '/usr/bin/script';
const isThere = process.platform === 'linux' && existsSync(script);

/** What a command shows in a real terminal. */
function inTerminal(home: string, ...args: string[]): Promise<{ code: number | null; shown: string }> {
  const command = [process.execPath, mainEntry, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn(script, ['-qefc', command, '/dev/null'], {
    env: { HOME: home, PATH: '/usr/bin:/bin', TERM: 'xterm-256color', SHELL: '/bin/sh' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let shown = '';
  child.stdout.on('data', (data: Buffer) => {
    shown += data.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, shown }));
  });
}

describe.skipIf(!isThere)('in a terminal', () => {
  it('wait draws a bar, clears it, and says how the job ended', async () => {
    const { home, submit } = jobCli();
    const id = await submit('ml_experiment', { epochs: 3 });
    const { code, shown } = await inTerminal(home, 'wait', '--job-id', id);
    expect(code).toBe(0);
    expect(shown).toContain('\r\u001b[K[########################] completed  100 %  epoch 3 of 3');
    expect(shown).toMatch(/Job completed: \S+\r\n$/);
  });

  it('status, list-jobs and agents print text, with colours', async () => {
    const { home, submit, run } = jobCli();
    const id = await submit('generic', { note: 'hello' });
    await run(['wait', '--job-id', id]);
    const status = await inTerminal(home, 'status', '--job-id', id);
    expect(status.shown).toContain('status     \u001b[32mcompleted\u001b[39m\r\n');
    expect(status.shown).toContain(`agent-runtime result --job-id ${id}`);
    const list = await inTerminal(home, 'list-jobs');
    expect(list.shown).toMatch(/completed.*generic note=hello\r\n$/);
    const agents = await inTerminal(home, 'agents');
    expect(agents.shown).toContain('\u001b[1mbacktest\u001b[22m\r\n  Backtests a trading strategy');
  });

  it('control characters in the data of a job do not reach the terminal', async () => {
    const { home, submit, run } = jobCli();
    const id = await submit('generic', { note: '\u001b]0;owned\u0007' }, '--metadata', '{"note": "\\u009b2J"}');
    await run(['wait', '--job-id', id]);
    for (const args of [
      ['list-jobs'],
      ['status', '--job-id', id],
      ['result', '--job-id', id],
      ['wait', '--job-id', id],
    ]) {
      const { shown } = await inTerminal(home, ...args);
      expect(shown).not.toContain('\u001b]0;');
      expect(shown).not.toContain('\u009b');
    }
  });
});
