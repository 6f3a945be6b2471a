import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { connectServer } from '../support/mcp-client.js';
import { startRawServer } from '../support/raw-client.js';
import { tempDir } from '../support/temp-dir.js';

interface Line {
  message: string;
  [field: string]: unknown;
}

const directoryIn = (home: string) => join(home, '.claude', 'agent_runtime', 'logs');

/** What all processes have written to the file of today. */
function linesIn(home: string): Line[] {
  const today = new Date().toISOString().slice(0, 10);
  try {
    const text = readFileSync(join(directoryIn(home), `agent-runtime-${today}.log`), 'utf8');
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
  } catch {
    return [];
  }
}

const lineOf = (home: string, message: string, jobId?: string) =>
  linesIn(home).find((line) => line.message === message && (jobId === undefined || line.job_id === jobId));

it('while logs flow at debug, every line on stdout is a message of the protocol', async () => {
  const home = tempDir();
  const server = startRawServer({ home, env: { AGENT_RUNTIME_LOG_LEVEL: 'debug' } });
  await server.initialize();
  for (let call = 0; call < 20; call++) {
    await server.request('tools/call', { name: 'create_task', arguments: { title: `Task ${call}` } });
    await server.request('tools/call', { name: 'get_task', arguments: { task_id: 99_999 } });
  }
  expect(server.stderr()).toContain('"message":"tool_call"');
  expect(server.lines.length).toBeGreaterThan(40);
  for (const line of server.lines) expect(JSON.parse(line).jsonrpc).toBe('2.0');
  const calls = linesIn(home).filter(({ message }) => message === 'tool_call');
  expect(calls).toHaveLength(40);
  expect(calls[0]).toMatchObject({ tool: 'create_task', status: 'ok', duration_ms: expect.any(Number) });
  expect(calls[1]).toMatchObject({ tool: 'get_task', status: 'error', code: 'not_found' });
  expect(linesIn(home).flatMap(({ message, type }) => (message === 'agent_registered' ? [type] : []))).toContain('llm');
});

describe('what becomes of a job is told by whoever sees it (the earlier server never filled its logs)', () => {
  it('submitted by the server, started and finished by the runner, with id, type and duration', async () => {
    const home = tempDir();
    const server = await connectServer({ home });
    const { job_id } = await server.ok('submit_job', { type: 'generic', payload: { note: 'never logged' } });
    await server.ok('wait_for_tasks', { task_ids: [job_id] });
    const finished = await eventually('the job to be told of', () => lineOf(home, 'job_finished', job_id));
    expect(finished).toMatchObject({ type: 'generic', attempt: 1, duration_ms: expect.any(Number) });
    const submitted = lineOf(home, 'job_submitted', job_id);
    const started = lineOf(home, 'job_started', job_id);
    expect([submitted?.pid, started?.pid]).toEqual([server.pid, finished.pid]);
    expect(started?.pid).not.toBe(server.pid);
    expect(statSync(directoryIn(home)).mode & 0o077).toBe(0);
    expect(JSON.stringify(linesIn(home))).not.toContain('never logged');
    // At info, calls of tools are not told of.
    expect(lineOf(home, 'tool_call')).toBeUndefined();
  });

  it('on its way, at debug', async () => {
    const home = tempDir();
    const server = await connectServer({ home, env: { AGENT_RUNTIME_LOG_LEVEL: 'debug' } });
    const payload = { model: 'linear', dataset: 'iris', epochs: 3 };
    const { job_id } = await server.ok('submit_job', { type: 'ml_experiment', payload });
    await server.ok('wait_for_tasks', { task_ids: [job_id], timeout_seconds: 50 });
    const progress = await eventually('progress to be told of', () => lineOf(home, 'job_progress', job_id));
    expect(progress).toMatchObject({ type: 'ml_experiment', progress: expect.any(Number), level: 'debug' });
    expect(progress.progress_message).toEqual(expect.any(String));
  });

  it('a failed one with its code', async () => {
    const home = tempDir();
    const server = await connectServer({ home });
    const payload = { strategy: 'momentum', ticker: 'NOSUCH', start_date: '2023-01-01', end_date: '2023-12-31' };
    const { job_id } = await server.ok('submit_job', { type: 'backtest', payload });
    await server.ok('wait_for_tasks', { task_ids: [job_id] });
    const { error } = await server.ok('get_job_status', { job_id });
    const failed = await eventually('the failure to be told of', () => lineOf(home, 'job_failed', job_id));
    expect(failed).toMatchObject({ type: 'backtest', code: error.code });
  });

  it('one that is cancelled before it starts', async () => {
    const home = tempDir();
    const server = await connectServer({ home });
    const run_at = new Date(Date.now() + 3_600_000).toISOString();
    const { job_id } = await server.ok('submit_job', { type: 'generic', payload: {}, run_at });
    await server.ok('cancel_job', { job_id });
    await server.ok('cancel_job', { job_id });
    expect(linesIn(home).filter(({ message }) => message === 'job_cancelled')).toHaveLength(1);
    expect(lineOf(home, 'job_cancelled', job_id)).toMatchObject({ type: 'generic', code: 'cancelled' });
  });
});

it('a log file that cannot be written stops nothing', async () => {
  const home = tempDir();
  const env = { AGENT_RUNTIME_DATA_DIR: '/proc/nowhere', AGENT_RUNTIME_DB_PATH: join(home, 'runtime.db') };
  const server = await connectServer({ home, env: { ...env, AGENT_RUNTIME_LOG_LEVEL: 'debug' } });
  expect((await server.ok('create_task', { title: 'Goes on' })).id).toBe(1);
  expect(server.stderr()).toContain('the log file cannot be written to');
  expect(server.stderr()).toContain('tool_call');
});
