import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { takesLessThan } from '../../support/takes-less-than.js';
import { tempDir } from '../../support/temp-dir.js';
import { runCli } from '../run-cli.js';

const conversation = 'c0ffee';

/** A conversation with one task in hand, as its client's shell would claim it. */
async function homeWithClaim() {
  const home = tempDir();
  const env = { CLAUDE_CODE_SESSION_ID: conversation, CLAUDE_PROJECT_DIR: home };
  const call = async (tool: string, input: object) =>
    (await runCli(['tool', tool, '--input', JSON.stringify(input), '--json'], { home, env })).json();
  await call('create_task', { title: 'Write the parser' });
  await call('claim_next_task', {});
  return { home, env, call };
}

const input = (more: object = {}) =>
  JSON.stringify({ session_id: conversation, hook_event_name: 'SessionStart', ...more });

it('says nothing, and creates nothing, where there is no database', async () => {
  const home = tempDir();
  const end = await runCli(['hook', 'session-start'], { home, stdin: input({ source: 'startup' }) });
  expect([end.code, end.stdout, end.stderr]).toEqual([0, '', '']);
  expect(readdirSync(home)).toEqual([]);
});

it.each(['startup', 'resume', 'compact'])('says after %s what the conversation holds', async (source) => {
  const { home, env } = await homeWithClaim();
  const { code, stdout } = await runCli(['hook', 'session-start'], { home, env, stdin: input({ source }) });
  expect(code).toBe(0);
  expect(stdout).toContain('You hold task 1 "Write the parser" with claim_token 1.');
  expect(stdout.split('\n').length).toBeLessThan(6);
});

it('knows the conversation by the input of the hook alone', async () => {
  const { home } = await homeWithClaim();
  const { stdout } = await runCli(['hook', 'session-start'], { home, stdin: input({ cwd: home }) });
  expect(stdout).toContain('You hold task 1');
});

it('says nothing to another conversation, nor to one that this program has started', async () => {
  const { home, env } = await homeWithClaim();
  const other = { ...env, CLAUDE_CODE_SESSION_ID: 'another' };
  expect((await runCli(['hook', 'session-start'], { home, env: other })).stdout).toBe('');
  const inner = { ...env, AGENT_RUNTIME_DEPTH: '1' };
  expect((await runCli(['hook', 'session-start'], { home, env: inner, stdin: input() })).stdout).toBe('');
});

it('takes less than 0.3 s of processor time, as each session waits for it', async () => {
  const { home, env } = await homeWithClaim();
  // Printed by the process itself: a machine that does much else makes it wait, but not work longer.
  const print =
    'process.on("exit",()=>{const{user,system}=process.cpuUsage();console.error("ms:"+(user+system)/1000)})';
  const timed = { ...env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(print)}` };
  const quick = await takesLessThan(300, async () => {
    const { stdout, stderr } = await runCli(['hook', 'session-start'], { home, env: timed, stdin: input() });
    expect(stdout).toContain('You hold task 1');
    return Number(/ms:([\d.]+)/.exec(stderr)?.[1]);
  });
  expect(quick).toBe(true);
});

it('names results that nobody has read, until they are read', async () => {
  const { home, env, call } = await homeWithClaim();
  const { job_id } = await call('submit_job', { type: 'ml_experiment', payload: { dataset: 'iris', epochs: 2 } });
  const look = async () => (await runCli(['hook', 'session-start'], { home, env, stdin: input() })).stdout;
  expect(await look()).toMatch(new RegExp(`Your ml_experiment ${job_id} is (pending|running)|Unread: ml_experiment`));
  await call('wait_for_tasks', { task_ids: [job_id] });
  expect(await look()).toContain(`Unread: ml_experiment ${job_id} has completed`);
  await call('get_task_result', { task_id: job_id });
  expect(await look()).not.toContain(job_id);
});

it.each([
  ['input that is not JSON', ['hook', 'session-start'], '{'],
  ['a database that is none', ['hook', 'session-start', '--db', '/proc/version'], ''],
])('ends with 1, which holds up no conversation, on %s', async (_, args, stdin) => {
  const { code, stdout, stderr } = await runCli(args, { home: tempDir(), stdin });
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain('agent-runtime: ');
});
