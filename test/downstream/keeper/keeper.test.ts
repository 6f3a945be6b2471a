import { expect, it } from 'vitest';
import { keeperOf, pidOf, running, sessions, shared, sharedHome } from './shared-sessions.js';

it('a first try', async () => {
  const home = sharedHome();
  const all = await sessions(3, { odd: shared({ instances: 2 }) }, home);
  const pids = new Set<number>();
  for (const session of all) for (let i = 0; i < 4; i++) pids.add(await pidOf(session));
  expect(pids.size).toBe(2);
  expect(running(home, 'odd-server.mjs').sort()).toEqual([...pids].sort());
  expect(running(home, 'server-keeper.js')).toEqual([await keeperOf(all[0]!)]);
});
