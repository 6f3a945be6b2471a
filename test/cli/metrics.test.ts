import { describe, expect, it } from 'vitest';
import { metricsTable } from '../../src/cli/metrics.js';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';
import { hasTerminal, textInTerminal } from './in-terminal.js';
import { recordingOutput } from './recording-output.js';
import { runCli } from './run-cli.js';

/** A home in which one job was completed, one failed and one was cancelled, each submitted by a process of its own. */
async function usedHome(): Promise<string> {
  const home = tempDir();
  const server = await connectServer({ home });
  const done = await server.ok('submit_job', { type: 'generic', payload: {} });
  const prices = { strategy: 'momentum', ticker: 'NOSUCH', start_date: '2023-01-01', end_date: '2023-12-31' };
  const failed = await server.ok('submit_job', { type: 'backtest', payload: prices });
  await server.ok('wait_for_tasks', { task_ids: [done.job_id, failed.job_id] });
  await server.call('get_task', { task_id: 404 });
  await server.call('get_task', { no_such_argument: 1 });
  await server.close();
  return home;
}

describe('agent-runtime metrics', () => {
  it('shows what other processes did (the earlier command line forgot all jobs when it ended)', async () => {
    const home = await usedHome();
    const { code, stderr, json } = await runCli(['metrics', '--window', '30m'], { home });
    expect([code, stderr]).toEqual([0, '']);
    expect(json()).toMatchObject({
      window_minutes: 30,
      job_submission_rate: 0.06667,
      job_completion_rate: 0.03333,
      average_execution_time: expect.any(Number),
      error_rates_by_type: { backtest: 1, generic: 0 },
      agent_utilization: { generic: expect.any(Number) },
      queue_depth: 0,
    });

    const text = (await runCli(['metrics', '--prometheus'], { home })).stdout;
    expect(text).toContain('agent_runtime_jobs_finished_total{type="generic",status="completed"} 1\n');
    expect(text).toContain('agent_runtime_tool_calls_total{tool="get_task",status="not_found"} 1\n');
    expect(text).toContain('agent_runtime_tool_calls_total{tool="get_task",status="invalid"} 1\n');
  });

  it.skipIf(!hasTerminal)('are tables in a terminal', async () => {
    const text = await textInTerminal(['metrics'], { home: await usedHome(), columns: 130 });
    expect(text).toMatch(/^Jobs, last 1h\nTYPE +SUBMITTED\/MIN +COMPLETED\/MIN +AVERAGE +P95 +ERRORS/);
    expect(text).toMatch(/\nbacktest .* 100\.0 % /);
    expect(text).toMatch(/\ngeneric .* 0\.0 % /);
    expect(text).toContain('2 jobs submitted: 1 completed, 1 failed, 0 cancelled.');
    expect(text).toContain('5 tool calls, 2 failed.');
  });

  it('with an invalid window, or with two formats at once, is wrong usage', async () => {
    const home = tempDir();
    for (const args of [
      ['--window', 'soon'],
      ['--window', '0h'],
      ['--prometheus', '--json'],
      ['--window', '1y'],
    ]) {
      const { code, stdout, stderr } = await runCli(['metrics', ...args], { home });
      expect([args, code]).toEqual([args, 2]);
      expect(stdout + stderr).toMatch(/hint/);
    }
  });

  it.each(['0', '65536', '9464x', '-1'])('serve refuses %s as a port', async (port) => {
    const { code, stderr } = await runCli(['serve', `--metrics-port=${port}`], { home: tempDir() });
    expect(code).toBe(2);
    expect(stderr).toContain(JSON.stringify(port));
  });
});

it('says that there are no jobs', () => {
  const none = { job_submission_rate: 0, job_completion_rate: 0, average_execution_time: null, queue_depth: 0 };
  const totals = {
    jobs_submitted: 0,
    jobs_completed: 0,
    jobs_failed: 0,
    jobs_cancelled: 0,
    llm_requests: 0,
    llm_errors: 0,
    llm_input_tokens: 0,
    llm_output_tokens: 0,
    tool_calls: 0,
    tool_errors: 0,
  };
  const shown = { ...none, at: '', window_minutes: 60, error_rates_by_type: {}, agent_utilization: {} };
  const tasks = {
    completed: 0,
    completed_per_hour: 0,
    failed: 0,
    cancelled: 0,
    cycle_seconds: null,
    waiting_seconds: null,
    workers: [],
    goals: [],
  };
  const text = metricsTable(
    { ...shown, types: [], agents: [], errors: [], cost: {}, tasks, totals },
    '1h',
    recordingOutput(),
  );
  expect(text).toContain('No jobs in this time, and no job is waiting.');
  expect(text).toContain('No task ended in this time.');
});

describe('the log of a command', () => {
  const task = ['tool', 'submit_job', '--arg', 'type=generic', '--arg', 'payload={}'];

  it('is debug with --verbose, and JSON with --json-logs; only the answer is on stdout', async () => {
    const home = tempDir();
    const { code, stdout, stderr } = await runCli([...task, '--verbose', '--json-logs', '--json'], { home });
    expect(code).toBe(0);
    const { job_id } = JSON.parse(stdout);
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ level }) => level)).toContain('debug');
    expect(lines.find(({ message }) => message === 'job_submitted')).toMatchObject({ job_id, type: 'generic' });
  });

  it('is silent without these options', async () => {
    expect((await runCli(task, { home: tempDir() })).stderr).toBe('');
  });
});
