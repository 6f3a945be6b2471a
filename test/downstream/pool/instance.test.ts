import { expect, it } from 'vitest';
import type { Connection } from '../../../src/downstream/connection/connection.js';
import { Instance, type InstanceState } from '../../../src/downstream/pool/instance.js';
import { eventually } from '../../support/eventually.js';
import { movingClock } from '../../support/moving-clock.js';

/** An instance whose starts the test lets succeed or fail, and whose connections it ends. */
function instanceOf(starts: () => 'up' | 'down') {
  const clock = movingClock();
  const givenUp: string[] = [];
  const opened: { connection: Connection; end(): void }[] = [];
  let tried = 0;
  const instance = new Instance({
    id: 'x#1',
    tick: clock.tick,
    random: () => 1,
    onGivenUp: (why) => void givenUp.push(why),
    onLost() {},
    restart: { backoff: { baseMs: 1, capMs: 4 }, tries: 5, stableMs: 300_000, restMs: 60_000 },
    async open(onClosed) {
      tried++;
      if (starts() === 'down') throw new Error('no such command');
      let isOpen = true;
      const end = () => {
        isOpen = false;
        onClosed();
      };
      const silent = { exit: () => undefined, stderrTail: () => '' };
      const connection = {
        ...silent,
        isOpen: () => isOpen,
        kill: end,
        discard: end,
        close: async () => end(),
      } as unknown as Connection;
      opened.push({ connection, end });
      return connection;
    },
  });
  const reaches = (state: InstanceState) => eventually(`it is ${state}`, () => instance.state === state);
  return { instance, clock, givenUp, opened, reaches, tried: () => tried };
}

it('after five failed starts it is given up; after a rest a call makes one more', async () => {
  const { instance, clock, givenUp, reaches, tried } = instanceOf(() => 'down');
  await expect(instance.ready()).rejects.toThrow('no such command');
  await reaches('given_up');
  expect(tried()).toBe(6);
  expect(givenUp).toEqual(['no such command']);
  await expect(instance.ready()).rejects.toThrow('given up after 5 tries');
  expect(tried()).toBe(6);
  clock.pass(60_000);
  await expect(instance.ready()).rejects.toThrow('no such command');
  await reaches('given_up');
  expect(tried()).toBeGreaterThan(6);
});

it('an instance that crashes before its first answer is given up, one that has answered comes back each time', async () => {
  const idle = instanceOf(() => 'up');
  await idle.instance.ready();
  for (let crash = 1; crash <= 6; crash++) {
    idle.opened.at(-1)?.end();
    if (crash < 6)
      await eventually('it is up again', () => idle.opened.length === crash + 1 && idle.instance.state === 'ready');
  }
  expect(idle.instance.state).toBe('given_up');

  const useful = instanceOf(() => 'up');
  await useful.instance.ready();
  for (let crash = 1; crash <= 20; crash++) {
    useful.instance.answered();
    useful.opened.at(-1)?.end();
    await eventually('it is up again', () => useful.opened.length === crash + 1 && useful.instance.state === 'ready');
  }
  expect(useful.instance.restarts).toBe(20);
});

it('after five stable minutes earlier crashes are forgotten', async () => {
  const { instance, clock, opened } = instanceOf(() => 'up');
  await instance.ready();
  for (let crash = 1; crash <= 12; crash++) {
    clock.pass(300_000);
    opened.at(-1)?.end();
    await eventually('it is up again', () => opened.length === crash + 1 && instance.state === 'ready');
  }
});

it('a stopped instance stays stopped, also when a start was under way', async () => {
  const { instance, opened, tried } = instanceOf(() => 'up');
  const starting = instance.ready();
  await instance.stop();
  await expect(starting).rejects.toThrow('it was stopped');
  expect(instance.state).toBe('stopped');
  await instance.ready();
  expect(instance.connection).toBe(opened.at(-1)?.connection);
  await instance.stop();
  await instance.stop();
  expect([instance.state, tried()]).toEqual(['stopped', opened.length]);
});

it('the late end of a replaced connection does not end the new one', async () => {
  const { instance, opened } = instanceOf(() => 'up');
  const first = await instance.ready();
  instance.replace(first);
  await eventually('another is up', () => opened.length === 2 && instance.state === 'ready');
  opened[0]?.end();
  instance.replace(first);
  expect(instance.connection).toBe(opened[1]?.connection);
  expect(instance.restarts).toBe(1);
});
