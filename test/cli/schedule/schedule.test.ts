import { expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { boardCli } from '../board/board-cli.js';

const job = JSON.stringify({ type: 'generic', payload: {} });
const later = ['--kind', 'job', '--request', job, '--at', '2999-01-01T00:00:00Z', '--timezone', 'UTC'];

it('schedules are made, listed, paused, resumed, run now and deleted', async () => {
  const cli = boardCli();
  const made = await cli.run(['schedule', 'add', 'far', ...later]);
  expect([made.code, made.stdout]).toEqual([0, 'Schedule far: next at 2999-01-01T00:00:00.000Z.\n']);
  expect(made.stderr).toContain('start `agent-runtime worker`');
  const { checks } = (await cli.run(['doctor', '--json'])).json();
  expect(checks.find(({ name }: { name: string }) => name === 'schedules')).toMatchObject({
    status: 'warn',
    detail: expect.stringContaining('nothing lives that fires them'),
    fix: expect.stringContaining('agent-runtime worker'),
  });
  expect((await cli.run(['schedule', 'pause', 'far'])).stdout).toBe('Schedule far: paused.\n');
  expect((await cli.run(['schedule'])).json().schedules).toMatchObject([{ name: 'far', status: 'paused', next: [] }]);
  expect((await cli.run(['schedule', 'resume', 'far'])).stdout).toContain('next at 2999');
  expect((await cli.run(['schedule', 'run', 'far'])).stdout).toMatch(/^Schedule far has made job [\da-f-]{36}\.\n$/);
  expect((await cli.inTerminal(['schedule', 'list'])).shown).toMatch(/far +job +once +in 355,/);
  expect((await cli.run(['schedule', 'delete', 'far'])).stdout).toBe('Schedule deleted: far\n');
  expect((await cli.run(['schedule'])).json().schedules).toEqual([]);
});

it('a wrong time, and a name that no schedule has, are refused with what to give', async () => {
  const cli = boardCli();
  const never = await cli.run(['schedule', 'add', 'x', '--kind', 'job', '--request', job, '--cron', '0 9 * *']);
  expect(never).toMatchObject({ code: 2, stderr: expect.stringContaining('has 4 fields instead of five') });
  const unknown = await cli.run(['schedule', 'pause', 'x']);
  expect(unknown).toMatchObject({ code: 3, stderr: expect.stringContaining('No schedule is called x') });
});

it('a runner stays and fires a schedule that a command has made, though nothing else lives', async () => {
  const cli = boardCli();
  const at = new Date(Date.now() + 10_000).toISOString();
  const made = await cli.run(['schedule', 'add', 'soon', '--kind', 'job', '--request', job, '--at', at]);
  expect(made.code).toBe(0);
  await eventually('it has fired and its job has ended', async () => {
    const [soon] = (await cli.run(['schedule'])).json().schedules;
    return soon.status === 'ended' && soon.last?.run_status === 'completed';
  });
});
