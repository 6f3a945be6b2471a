import { existsSync, rmSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { startAnthropicServer } from '../../fixtures/models/anthropic-server.js';
import type { RecordedRequest } from '../../fixtures/models/scripted-server.js';
import { tempDir } from '../../support/temp-dir.js';
import { runCli } from '../run-cli.js';

const isJudged = ({ prompt }: RecordedRequest) => prompt.startsWith('Judge the output');
const agentOf = ({ prompt }: RecordedRequest) => /^Agent #\d+\/\d+: (\w+)/m.exec(prompt)?.[1] ?? '';

/** Claude, so slow with the third step that the relay is under way when the server is killed. */
async function slowVendor(verdict: object) {
  const provider = await startAnthropicServer({
    script: [{}, {}, {}, {}, {}, { latencyMs: 8_000 }],
    reply: (request) => (isJudged(request) ? JSON.stringify(verdict) : `By the ${agentOf(request)}.`),
  });
  onTestFinished(() => provider.close());
  return { provider, env: { ANTHROPIC_API_KEY: 'sk-ant-demo-0123456789', ANTHROPIC_BASE_URL: provider.url } };
}

it('a relay of four steps runs to its end although its server is killed half way', async () => {
  const { provider, env } = await slowVendor({ quality_score: 0.9, l_score: 0.8, reason: 'Good.' });
  const { code, stdout, json } = await runCli(['demo', '--relay', '--json'], { home: tempDir(), env });
  expect(code, stdout).toBe(0);
  const report = json();
  onTestFinished(() => rmSync(report.home, { recursive: true, force: true }));
  expect(report).toMatchObject({
    model: 'claude-sonnet-5-5',
    status: 'completed',
    killed_after_steps: 2,
    average_quality: 0.9,
    output: 'By the formatter.',
  });
  expect(report.survived_kill_of_pid).toBeGreaterThan(0);
  expect(report.steps.map((step: { agent: string; status: string }) => [step.agent, step.status])).toEqual([
    ['researcher', 'passed'],
    ['analyzer', 'passed'],
    ['synthesizer', 'passed'],
    ['formatter', 'passed'],
  ]);
  // The model is asked for a word first. Then each step was done once and judged once.
  const [probe, ...calls] = provider.requests;
  expect(probe?.prompt).toContain('ready');
  expect(calls.map((request) => isJudged(request))).toEqual(Array(4).fill([false, true]).flat());
});

it('says why the relay did not complete, and how to continue it', async () => {
  const { env } = await slowVendor({ quality_score: 0.1, l_score: 0.8, reason: 'Nothing of it is right.' });
  const { code, stdout, stderr } = await runCli(['demo', '--relay'], { home: tempDir(), env });
  const home = /in the empty home (\S+)/.exec(stdout)?.[1] ?? '';
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  expect(code).toBe(1);
  expect(stderr).toContain('The relay is failed');
  expect(stderr).toContain('Nothing of it is right.');
  expect(stderr).toContain(`HOME=${home} agent-runtime tool run_relay --arg pipeline_id=`);
});

it('without a model it says what to configure', async () => {
  const { code, json } = await runCli(['demo', '--relay', '--json'], { home: tempDir() });
  expect(code).toBe(1);
  expect(json().error).toMatchObject({ code: 'not_configured', hint: expect.stringContaining('ANTHROPIC_API_KEY') });
});

it('ends at once, without a trace, with a model that does not answer', async () => {
  const home = tempDir();
  const env = { ANTHROPIC_API_KEY: 'sk-ant-demo-0123456789', ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' };
  const { code, stderr, stdout } = await runCli(['demo', '--relay'], { home, env });
  expect(code).toBe(1);
  expect(stderr).toMatch(/error: The model \S+ does not answer: .*127\.0\.0\.1:9/);
  const place = /in the empty home (\S+)/.exec(stdout)?.[1] ?? '';
  expect(place).not.toBe('');
  expect(existsSync(place)).toBe(false);
});
