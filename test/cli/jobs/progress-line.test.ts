import { describe, expect, it } from 'vitest';
import { createProgressLine } from '../../../src/cli/jobs/progress-line.js';
import type { JobProgress } from '../../../src/core/jobs/read-jobs.js';

const waiting: JobProgress = {
  status: 'pending',
  progress: null,
  progressMessage: null,
  errorCode: null,
  errorMessage: null,
};
const at = (progress: number, progressMessage: string): JobProgress => ({
  ...waiting,
  status: 'running',
  progress,
  progressMessage,
});

function stream(isTTY: boolean, columns = 80) {
  const written: string[] = [];
  return { isTTY, columns, write: (text: string) => written.push(text), written };
}

describe('in a terminal', () => {
  it('one line is redrawn after each change, and cleared at the end', () => {
    const terminal = stream(true);
    let ms = 0;
    const line = createProgressLine(terminal, () => ms);
    line.show(waiting);
    line.show(waiting);
    line.show(at(0.5, 'epoch 5 of 10'));
    ms = 61_000;
    line.show(at(0.5, 'epoch 5 of 10'));
    line.end();
    line.end();
    expect(terminal.written).toEqual([
      '\r\u001b[K[------------------------] pending  0 s',
      '\r\u001b[K[############------------] running  50 %  epoch 5 of 10  0 s',
      '\r\u001b[K[############------------] running  50 %  epoch 5 of 10  61 s',
      '\r\u001b[K',
    ]);
  });

  it('the line is shorter than the terminal is wide, and control characters of a message are replaced', () => {
    for (const columns of [80, 40, 10, 1]) {
      const terminal = stream(true, columns);
      createProgressLine(terminal).show(at(1, `\u001b[2Jline\none\r${'x'.repeat(200)}`));
      const [text = ''] = terminal.written;
      const shown = text.slice('\r\u001b[K'.length);
      expect(shown.length).toBeLessThanOrEqual(Math.max(1, columns - 1));
      for (const character of '\u001b\r\n') expect(shown).not.toContain(character);
    }
  });
});

describe('elsewhere', () => {
  it('a change of status prints a line at once, other changes at most one line in 5 s', () => {
    const file = stream(false);
    let ms = 0;
    const line = createProgressLine(file, () => ms);
    line.show(waiting);
    line.show(at(0.1, 'epoch 1 of 10'));
    ms = 1_000;
    line.show(at(0.2, 'epoch 2 of 10'));
    ms = 5_000;
    line.show(at(0.6, 'epoch 6 of 10'));
    line.show({ ...at(1, 'epoch 10 of 10'), status: 'completed' });
    line.end();
    expect(file.written).toEqual([
      'pending\n',
      'running  10 %  epoch 1 of 10\n',
      'running  60 %  epoch 6 of 10\n',
      'completed  100 %  epoch 10 of 10\n',
    ]);
  });

  it('a job that waits for its next attempt shows the error of the last one', () => {
    const file = stream(false);
    createProgressLine(file).show({ ...waiting, errorCode: 'lost', errorMessage: 'Its runner is gone.' });
    expect(file.written).toEqual(['pending  Its runner is gone.\n']);
  });
});
