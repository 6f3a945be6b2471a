import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { tempDir } from '../support/temp-dir.js';
import { type Background, background, scripted, session } from './fixtures/background.js';
import { holdThread } from './fixtures/hold-thread.js';
import { shiftedClock, untilNextTry } from './fixtures/shifted-clock.js';

/** Calls that hang until they are cancelled, all of them carried by one runner that has asked the vendor for each. */
async function hangingCalls(runtime: Background, count: number): Promise<string[]> {
  const before = runtime.server.requests.length;
  const ids = [];
  for (let number = 0; number < count; number++) {
    ids.push(await runtime.ask(scripted({ pieces: [`Part ${number}`], ending: 'hang' })));
  }
  await eventually('every call is under way', () => runtime.server.requests.length === before + count);
  return ids;
}

const runnersOf = async (runtime: Background, ids: readonly string[]) =>
  new Set(await Promise.all(ids.map(async (id) => (await runtime.row(id)).runner_id)));

/** A provider of the user's own, whose code does what its prompt says. */
function provider(home: string, body: string): { providers: { custom: { odd: string } } } {
  const path = join(home, 'odd.mjs');
  writeFileSync(
    path,
    `const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
     export default { async complete({ prompt, signal }) { ${body} } };`,
  );
  return { providers: { custom: { odd: path } } };
}

describe('one runner carries many calls', () => {
  it('as many as the limit allows, and starts another beyond what it may carry', async () => {
    const runtime = await background({ config: { limits: { maxModelCalls: 6, callsPerRunner: 4 } } });
    const ids = [];
    for (let number = 0; number < 9; number++) ids.push(await runtime.ask(scripted({ ending: 'hang', pieces: ['x'] })));
    const running = () => runtime.db.all("select 1 from jobs where status = 'running'");
    await eventually(
      'six are under way',
      async () => (await running()).length === 6 && runtime.server.requests.length === 6,
    );
    const counts = await runtime.db.all<{ count: number }>(
      "select count(*) as count from jobs where status = 'running' group by runner_id order by count",
    );
    expect(counts.map(({ count }) => count)).toEqual([2, 4]);
    for (const id of ids) await runtime.jobs.cancel(id, session);
  });

  it('takes more as calls are submitted, without another process', async () => {
    const runtime = await background();
    const [first] = await hangingCalls(runtime, 1);
    const answered = await runtime.ended(await runtime.ask('Hello'));
    expect(answered.status).toBe('completed');
    expect(await runtime.runners()).toHaveLength(1);
    await runtime.jobs.cancel(first ?? '', session);
  });

  it('while a job of another kind has a process of its own', async () => {
    const runtime = await background({ config: { commands: { wait: { program: 'sleep', args: ['1'] } } } });
    const [call] = await hangingCalls(runtime, 1);
    const command = await runtime.give('command', { command: 'wait' }, { requires: 'command:wait' });
    const { pid } = await runtime.runnerOf(command);
    expect(pid).not.toBe((await runtime.runnerOf(call ?? '')).pid);
    await runtime.jobs.cancel(call ?? '', session);
  });
});

describe('a call among others', () => {
  it('that is cancelled ends alone', async () => {
    const runtime = await background();
    const [first = '', ...others] = await hangingCalls(runtime, 8);
    expect((await runtime.jobs.cancel(first, session)).status).toBe('cancelled');
    expect(await runtime.jobs.output(first)).toBe('Part 0');
    for (const id of others) expect(await runtime.row(id)).toMatchObject({ status: 'running', attempt: 1 });
    expect(runtime.server.requests.filter(({ isAborted }) => isAborted)).toHaveLength(1);
    for (const id of others) await runtime.jobs.cancel(id, session);
    expect(await runtime.runners()).toHaveLength(1);
  });

  it('that times out, that floods, and that gets an error, takes none with it', async () => {
    const runtime = await background();
    const slow = await runtime.ask(scripted({ pieces: ['Slow ', 'but whole.'], heldAt: 1 }));
    const late = await runtime.ask(scripted({ ending: 'hang', pieces: ['x'] }), {
      timeout_seconds: 1,
      max_attempts: 1,
    });
    const flood = await runtime.ask(scripted({ pieces: ['y'.repeat(3_000_000)] }), {
      max_attempts: 1,
      model_params: { max_tokens: 10 },
    });
    const refused = await runtime.ask(scripted({ status: 401 }), { max_attempts: 1 });
    expect(await runtime.ended(late)).toMatchObject({ status: 'failed', errorCode: 'timeout' });
    expect(await runtime.ended(flood)).toMatchObject({ status: 'failed', errorCode: 'invalid_output' });
    expect(await runtime.ended(refused)).toMatchObject({ status: 'failed', errorCode: 'auth' });
    runtime.server.letGo();
    expect(await runtime.ended(slow)).toMatchObject({ status: 'completed', attempt: 1 });
    expect(await runtime.jobs.output(slow)).toBe('Slow but whole.');
    expect(await runtime.runners()).toHaveLength(1);
  });

  it.each([
    [
      'throws in a timer',
      "setTimeout(() => { throw new Error('thrown later') }, 10); await sleep(60_000);",
      'thrown later',
    ],
    ['leaves a rejection', "void Promise.reject(new Error('forgotten')); await sleep(60_000);", 'forgotten'],
  ])('whose code %s fails alone; the others end as they should', async (_, body, message) => {
    const home = tempDir();
    const runtime = await background({ home, config: provider(home, body) });
    const slow = await runtime.ask(scripted({ pieces: ['Slow ', 'but whole.'], heldAt: 1 }));
    await eventually('a call is under way', () => runtime.server.requests.length === 1);
    const odd = await runtime.ask('Go.', { model: 'custom:odd' });
    const failed = await runtime.ended(odd);
    expect(failed).toMatchObject({ status: 'failed', errorCode: 'internal' });
    expect(failed.errorMessage).toContain(message);
    runtime.server.letGo();
    expect(await runtime.ended(slow)).toMatchObject({ status: 'completed', attempt: 1 });
  });

  it('whose code ends the process fails; the others are tried again', async () => {
    const home = tempDir();
    const clock = shiftedClock();
    const runtime = await background({ clock, home, config: provider(home, 'process.exit(3);') });
    const [other = ''] = await hangingCalls(runtime, 1);
    const odd = await runtime.ask('Go.', { model: 'custom:odd' });
    clock.pass(untilNextTry);
    await eventually('the loss is noticed', async () => {
      await runtime.jobs.sweep(session);
      return (await runtime.row(odd)).status === 'failed';
    });
    expect(await runtime.row(odd)).toMatchObject({ error_code: 'exited', crashes: 0 });
    expect(await runtime.row(other)).toMatchObject({ error_code: 'runner_lost', crashes: 1, tries: 1 });
    await runtime.jobs.cancel(other, session);
  });

  it('whose code holds the thread for 2 s goes on in a process of its own, and no other suffers', async () => {
    const home = tempDir();
    const body = `${holdThread}
      await sleep(50);
      return { text: 'done by ' + process.pid };`;
    const runtime = await background({ home, config: provider(home, body) });
    const slow = await runtime.ask(scripted({ pieces: ['Slow ', 'but whole.'], heldAt: 1 }));
    await eventually('a call is under way', () => runtime.server.requests.length === 1);
    const shared = await runtime.runnerOf(slow);
    const odd = await runtime.ask('Go.', { model: 'custom:odd' });
    expect(await runtime.ended(odd)).toMatchObject({ status: 'completed', attempt: 2, tries: 1, crashes: 0 });
    runtime.server.letGo();
    expect(await runtime.ended(slow)).toMatchObject({ status: 'completed', attempt: 1 });
    expect(await runtime.jobs.output(odd)).not.toBe(`done by ${shared.pid}`);
    expect(await runtime.events(odd)).toEqual(['submitted', 'started', 'postponed', 'completed']);
  });

  it('whose code holds the thread for good is ended after 10 s, and is alone from then on', async () => {
    const home = tempDir();
    const clock = shiftedClock();
    const runtime = await background({ clock, home, config: provider(home, 'for (;;);') });
    const [other = ''] = await hangingCalls(runtime, 1);
    const odd = await runtime.ask('Go.', { model: 'custom:odd' });
    clock.pass(untilNextTry);
    await eventually('the loss is noticed', async () => {
      await runtime.jobs.sweep(session);
      return (await runtime.row(odd)).crashes === 1;
    });
    expect((await runtime.row(odd)).error_message).toContain('did not answer for 10 s');
    for (const id of [odd, other]) expect(await runtime.row(id)).toMatchObject({ lane: 'process', tries: 1 });
    for (const id of [odd, other]) await runtime.jobs.cancel(id, session);
  });
});

it('a call that holds the shared thread beyond its own time fails with that, and costs only the others a runner', async () => {
  const home = tempDir();
  const runtime = await background({ home, config: provider(home, 'for (;;);') });
  const [other = ''] = await hangingCalls(runtime, 1);
  const odd = await runtime.ask('Go.', { model: 'custom:odd', timeout_seconds: 8, max_attempts: 1 });
  expect(await runtime.ended(odd)).toMatchObject({ status: 'failed', errorCode: 'timeout', tries: 1, crashes: 0 });
  expect((await runtime.jobs.attempts(other))[0]).toMatchObject({
    outcome: 'lost',
    errorMessage: 'Its runner was ended, because another job held its thread beyond its time.',
  });
  await runtime.jobs.cancel(other, session);
});

it('the calls of a runner that is killed are each tried again, with the attempt counted', async () => {
  const clock = shiftedClock();
  const runtime = await background({ clock });
  const ids = await hangingCalls(runtime, 16);
  expect((await runnersOf(runtime, ids)).size).toBe(1);
  process.kill((await runtime.runnerOf(ids[0] ?? '')).pid, 'SIGKILL');
  clock.pass(untilNextTry);
  await eventually('the loss is noticed', async () => {
    await runtime.jobs.sweep(session);
    return (await runtime.row(ids[15] ?? '')).crashes === 1;
  });
  for (const id of ids) {
    expect(await runtime.row(id)).toMatchObject({ crashes: 1, tries: 1, status: 'pending', error_code: 'runner_lost' });
    expect((await runtime.jobs.attempts(id)).map(({ outcome }) => outcome)).toEqual(['lost']);
  }
  expect((await runtime.runners()).filter(({ state }) => state === 'lost')).toHaveLength(1);
});
