import { expect, test } from 'vitest';
import { tempDir } from '../../support/temp-dir.js';
import { testRuntime } from '../../support/test-runtime.js';

/** Three processes with one breaker, as far as the database can tell. */
async function threeCallers() {
  const home = tempDir();
  return [await testRuntime({ home }), await testRuntime({ home }), await testRuntime({ home })] as const;
}

const id = 'llm:anthropic';

test('calls of three processes that begin and end at once are counted one by one, from the first on', async () => {
  const callers = await threeCallers();
  const [{ breakers }] = callers;
  await Promise.all(
    callers.map(async ({ breakers: own }) => {
      for (let call = 0; call < 10; call++) {
        expect((await own.acquire(id)).allowed).toBe(true);
        await own.recordFailure(id, { type: 'timeout', message: 'Nothing came.' });
        // Each success cancels a failure out, so that it never opens: at most three are there at once.
        await own.recordSuccess(id);
      }
    }),
  );
  expect(await breakers.get(id)).toMatchObject({
    circuit: { state: 'closed' },
    totals: { failures: 30, successes: 30 },
  });
});

test('a half-open breaker gives its permits out once each, and closes once', async () => {
  const callers = await threeCallers();
  const [{ breakers, db }] = callers;
  for (let round = 1; round <= 10; round++) {
    await breakers.trip(id, { reason: 'a try' });
    await db.run("update breakers set state = 'half_open', cooldown_until = null where id = ?", id);
    const answers = await Promise.all(callers.flatMap(({ breakers: own }) => [own.acquire(id), own.acquire(id)]));
    const permits = answers.flatMap(({ permit }) => permit ?? []);
    expect(new Set(permits).size).toBe(3);
    await Promise.all(permits.map((permit, index) => callers[index]?.breakers.recordSuccess(id, permit)));
    expect((await breakers.get(id)).circuit.state).toBe('closed');
    const closed = "select count(*) as count from events where subject = 'breaker' and type = 'recovery'";
    expect(await db.get(closed)).toEqual({ count: round });
  }
});
