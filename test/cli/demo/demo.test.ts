import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { startAnthropicServer } from '../../fixtures/models/anthropic-server.js';
import { eventually } from '../../support/eventually.js';
import { tempDir } from '../../support/temp-dir.js';
import { runCli } from '../run-cli.js';

const plan = {
  tasks: [
    { title: 'Read about irises' },
    { title: 'Write the guide', depends_on: ['Read about irises'] },
    { title: 'Print it' },
  ],
};

it('without a model the demo uses its own plan and a real training job, and loses nothing when its server is killed', async () => {
  const { code, stdout, json } = await runCli(['demo', '--json'], { home: tempDir() });
  expect(code, stdout).toBe(0);
  const report = json();
  onTestFinished(() => rmSync(report.home, { recursive: true, force: true }));
  expect(report).toMatchObject({
    planner: 'caller',
    background: { kind: 'ml_experiment', status: 'completed' },
    goal: { status: 'completed', completed: 4, total: 4 },
  });
  expect(report.background.survived_kill_of_pid).toBeGreaterThan(0);
  expect(report.background.outcome).toMatch(/^\d+ of 30 flowers/);
  expect(existsSync(report.database)).toBe(true);
});

it('with a model it has the model plan and answer', async () => {
  const provider = await startAnthropicServer({
    reply: ({ prompt }) =>
      prompt.startsWith('Break the goal') ? JSON.stringify(plan) : 'By the length of their petals.',
  });
  onTestFinished(() => provider.close());
  const env = { ANTHROPIC_API_KEY: 'sk-ant-demo-0123456789', ANTHROPIC_BASE_URL: provider.url };
  const { stdout, json } = await runCli(['demo', '--json'], { home: tempDir(), env });
  const report = json();
  onTestFinished(() => rmSync(report.home, { recursive: true, force: true }));
  expect(report, stdout).toMatchObject({
    planner: 'model',
    background: { kind: 'claude-sonnet-5-5', status: 'completed' },
    goal: { status: 'completed', completed: 3, total: 3 },
  });
});

it('prints each step, and where everything is stored', async () => {
  const { stdout } = await runCli(['demo'], { home: tempDir() });
  const home = /in the empty home (\S+)/.exec(stdout)?.[1] ?? '';
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  for (const step of [
    'create_goal',
    'decompose_goal',
    'claim_next_task',
    'kill -9',
    'get_job_status',
    'goal 1 is completed',
  ]) {
    expect(stdout).toContain(step);
  }
  expect(stdout).toContain(`stored in ${home}/.claude/agent_runtime.db`);
});

it('with a model that is configured and does not answer it says why, goes on without it, and leaves no process', async () => {
  const env = { ANTHROPIC_API_KEY: 'sk-ant-demo-0123456789', ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' };
  const { code, stdout, json } = await runCli(['demo', '--json'], { home: tempDir(), env });
  expect(code, stdout).toBe(0);
  const report = json();
  onTestFinished(() => rmSync(report.home, { recursive: true, force: true }));
  expect(report).toMatchObject({
    model_failure: expect.stringContaining('http://127.0.0.1:9'),
    planner: 'caller',
    background: { kind: 'ml_experiment', status: 'completed' },
    goal: { status: 'completed', completed: 4, total: 4 },
  });
  await eventually('no process has the home of the demo', () => !processesWith(report.home));
});

/** Whether a process runs whose environment names this directory. */
function processesWith(directory: string): boolean {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(directory);
      } catch {
        return false;
      }
    });
}
