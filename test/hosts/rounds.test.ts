import { expect, it } from 'vitest';
import { startChild } from '../support/child.js';
import { mainEntry } from '../support/paths.js';
import { postgresPort } from '../support/postgres.js';
import { apart, whyNoHosts } from './rounds/network.js';

it('three hosts do all of a board, once, though one is cut off and one is killed', async (context) => {
  const why = postgresPort === null ? 'PostgreSQL is not installed' : whyNoHosts();
  if (why !== undefined) context.skip(`Hosts with networks of their own cannot be made here: ${why}`);
  const given = { tasks: '60', jobs: '12', workers: '6', seed: '3', main: mainEntry };
  const options = Object.entries(given).flatMap(([name, value]) => [`--${name}`, value]);
  const command = [process.execPath, '.config/run.mjs', 'test/hosts/rounds/index.ts', '--apart', '--short', ...options];
  const [unshare = '', first = '', ...rest] = apart(...command);
  const { code, stdout, stderr } = await startChild(first, rest, {}, unshare).ended;
  expect([code, stdout, stderr]).toEqual([0, expect.stringContaining('nothing lost, nothing twice, all done'), '']);
});
