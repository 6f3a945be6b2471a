import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildChild, startChild } from '../../support/child.js';
import { projectRoot } from '../../support/paths.js';
import { testRuntime } from '../../support/test-runtime.js';

it('several processes together never send more probes than a half-open breaker allows', async () => {
  const { db, breakers } = await testRuntime();
  await breakers.acquire('llm:anthropic');
  await db.run("update breakers set state = 'half_open'");
  const path = await buildChild(join(projectRoot, 'test', 'core', 'breakers', 'prober.ts'));
  const children = Array.from({ length: 6 }, () => startChild(path, [db.location, '150']));
  const ends = await Promise.all(children.map(({ ended }) => ended));
  expect(ends.map(({ code, stderr }) => ({ code, stderr }))).toEqual(Array(6).fill({ code: 0, stderr: '' }));

  const changes = ends
    .flatMap(({ stdout }) => stdout.trim().split('\n'))
    .flatMap((line) => {
      const [from = '0', to = '0'] = line.split(' ');
      return [
        { at: BigInt(from), by: 1 },
        { at: BigInt(to), by: -1 },
      ];
    })
    .sort((one, other) => (one.at < other.at ? -1 : 1));
  expect(changes.length).toBeGreaterThan(200);
  let held = 0;
  let most = 0;
  for (const { by } of changes) {
    held += by;
    most = Math.max(most, held);
  }
  expect(most).toBe(3);
  expect(await db.all('select * from breaker_permits')).toEqual([]);
});
