import { describe, expect, it } from 'vitest';
import { hasTerminal, inTerminal } from '../in-terminal.js';
import { jobCli } from './job-cli.js';

describe.skipIf(!hasTerminal)('in a terminal', () => {
  it('wait draws a bar, clears it, and says how the job ended', async () => {
    const { home, submit } = jobCli();
    const id = await submit('ml_experiment', { epochs: 3 });
    const { code, shown } = await inTerminal(['wait', '--job-id', id], { home });
    expect(code).toBe(0);
    expect(shown).toContain('\r\u001b[K[########################] completed  100 %  epoch 3 of 3');
    expect(shown).toMatch(/Job completed: \S+\r\n$/);
  });

  it('status, list-jobs and agents print text, with colours', async () => {
    const { home, submit, run } = jobCli();
    const id = await submit('generic', { note: 'hello' });
    await run(['wait', '--job-id', id]);
    const status = await inTerminal(['status', '--job-id', id], { home });
    expect(status.shown).toContain('status     \u001b[32mcompleted\u001b[39m\r\n');
    expect(status.shown).toContain(`agent-runtime result ${id}`);
    const list = await inTerminal(['list-jobs'], { home });
    expect(list.shown).toMatch(/completed.*generic note=hello\r\n$/);
    expect(list.shown).toContain(`\r\n${id.slice(0, 8)}  `);
    const agents = await inTerminal(['agents'], { home });
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
      const { shown } = await inTerminal(args, { home });
      expect(shown).not.toContain('\u001b]0;');
      expect(shown).not.toContain('\u009b');
    }
  });
});
