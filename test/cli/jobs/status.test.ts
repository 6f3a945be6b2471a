import { expect, it } from 'vitest';
import { type JobStatusOutput, renderStatus } from '../../../src/cli/jobs/status.js';

const plain = (_format: unknown, text: string) => text;

const job: JobStatusOutput = {
  job_id: '3f2c9a1e',
  type: 'backtest',
  status: 'completed',
  created_at: '2026-11-20T14:00:00.000Z',
  started_at: '2026-11-20T14:00:01.000Z',
  completed_at: '2026-11-20T14:00:03.500Z',
  priority: 5,
  attempt: 1,
  progress: 1,
  progress_message: 'Done',
  result: {},
  error: null,
  metadata: { user: 'quant' },
  artifacts: [{ name: 'equity.svg', path: '/data/equity.svg', size_bytes: 12, sha256: 'ab' }],
  logs: [{ at: '2026-11-20T14:00:02.000Z', level: 'info', message: 'prices_read' }],
};

it('a job is printed as text, with the next steps', () => {
  expect(renderStatus(job, plain)).toBe(
    [
      '3f2c9a1e',
      '  status     completed',
      '  type       backtest',
      '  created    2026-11-20T14:00:00.000Z',
      '  started    2026-11-20T14:00:01.000Z',
      '  completed  2026-11-20T14:00:03.500Z (after 2.5 s)',
      '  progress   100 %  Done',
      '  metadata   {"user":"quant"}',
      '  artifacts',
      '    equity.svg  12 bytes  /data/equity.svg',
      '  log',
      '    2026-11-20T14:00:02.000Z  info   prices_read',
      '  next',
      '    agent-runtime result 3f2c9a1e',
    ].join('\n'),
  );
});

it('a dead letter is marked as dead, and can be retried', () => {
  const dead: JobStatusOutput = { ...job, status: 'failed', dead: true, error: { code: 'lost', message: 'Gone.' } };
  const text = renderStatus(dead, plain);
  expect(text).toContain('  status     failed (dead)\n');
  expect(text).toContain('  error      lost: Gone.\n');
  expect(text).toContain('agent-runtime retry 3f2c9a1e');
});

it('control characters in the output of a job do not reach the terminal', () => {
  const rude: JobStatusOutput = {
    ...job,
    progress_message: '\u001b]0;title\u0007',
    logs: [{ at: 'now', level: 'info', message: '\u001b[2J' }],
    warnings: ['\u0008\u0008'],
  };
  for (const character of '\u0007\u0008\u001b') expect(renderStatus(rude, plain)).not.toContain(character);
});
