import { expect, it } from 'vitest';
import { endless, jobCli } from './job-cli.js';

/** The commands of `python -m mcp_core.api.cli`, such as `agents`. */
it('the commands in the README of the earlier job server do what it says', async () => {
  const { run, submit, untilRunning } = jobCli();
  const agents = await run(['agents']);
  expect(agents.json()).toMatchObject({
    registered_agents: expect.any(Number),
    supported_job_types: expect.arrayContaining(['ml_experiment', 'backtest', 'generic']),
  });
  expect((await run(['list-jobs'])).json()).toEqual([]);

  const config = '{"model": "linear", "dataset": "iris", "epochs": 10}';
  const submitted = await run(['submit', '--type', 'ml_experiment', '--config', config]);
  expect([submitted.code, submitted.stderr]).toEqual([0, '']);
  const id = /^Job submitted successfully: (\S+)\n$/.exec(submitted.stdout)?.[1] ?? '';

  expect((await run(['wait', '--job-id', id])).code).toBe(0);
  const status = (await run(['status', '--job-id', id])).json();
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
  expect(status).toMatchObject({
    id,
    type: 'ml_experiment',
    status: 'completed',
    created_at: time,
    started_at: time,
    completed_at: time,
    error: null,
  });
  expect(status.logs).toHaveLength(10);

  const running = await submit('ml_experiment', endless);
  await untilRunning(running);
  expect((await run(['cancel', '--job-id', running])).stdout).toBe(`Job cancelled: ${running}\n`);

  const jobs = (await run(['list-jobs'])).json();
  expect(jobs).toMatchObject([
    { id: running, type: 'ml_experiment', status: 'cancelled', created_at: time, completed_at: time },
    { id, type: 'ml_experiment', status: 'completed', created_at: time, completed_at: time },
  ]);
  expect((await run(['list-jobs', '--status-filter', 'completed'])).json()).toMatchObject([{ id }]);
});

it('takes the payload from a file and stores metadata, as that README shows', async () => {
  const { run, home, put, status } = jobCli();
  const file = put('experiment.json', '\uFEFF{"model": "svm", "dataset": "iris", "epochs": 2}\n');
  const metadata = '{"user": "researcher", "experiment_name": "baseline_model"}';
  const args = ['submit', '--type', 'ml_experiment', '--config', file, '--metadata', metadata, '--wait', '--json'];
  const end = await run(args, { cwd: home });
  expect(end.code).toBe(0);
  expect(end.json()).toMatchObject({
    status: 'completed',
    result: { model: 'svm', epochs_run: 2 },
    metadata: { user: 'researcher', experiment_name: 'baseline_model' },
  });
  expect(await status(end.json().id)).toMatchObject({ status: 'completed' });
});

it('the global options are accepted before and after the command', async () => {
  const { run } = jobCli();
  expect((await run(['--verbose', 'agents'])).code).toBe(0);
  expect((await run(['agents', '-v'])).code).toBe(0);
});

it('--config is the config file before `submit`, and the payload after it', async () => {
  const { run, put } = jobCli();
  const settings = put('settings.json', '{"limits": {"maxRunningJobs": 2}}');
  const broken = put('broken.json', '{"no_such_setting": 1}');
  const submit = ['submit', '--type', 'generic', '--config={"a": 1}', '--wait', '--json'];
  const good = await run(['--config', settings, ...submit]);
  expect(good.json()).toMatchObject({ status: 'completed', result: { status: 'success', data: { a: 1 } } });
  const bad = await run(['--config', broken, ...submit]);
  expect([bad.code, bad.json().error.message]).toEqual([2, expect.stringContaining('no_such_setting')]);
  const elsewhere = await run(['agents', '--config', broken]);
  expect([elsewhere.code, elsewhere.stderr]).toEqual([2, expect.stringContaining('no_such_setting')]);
});
