import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openPostgresStore } from '../store/postgres/open-postgres.js';
import { newPostgresUrl, postgresPort } from '../support/postgres.js';
import { hostNamed } from './host.js';

const nobody = { holder: null, project: '' };

/** Lets time pass for this process: on the monotonic clock, on which it measures how long it was out of touch. */
function passing(): (ms: number) => void {
  const now = performance.now.bind(performance);
  let passed = 0;
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => now() + passed);
  onTestFinished(() => spy.mockRestore());
  return (ms) => {
    passed += ms;
  };
}

describe.runIf(postgresPort)('a process that was out of touch with the database', () => {
  it('counts nobody as gone, and takes no claim back, before the others could be heard again', async () => {
    const url = newPostgresUrl();
    const pass = passing();
    const here = await hostNamed('here', { url }).runtime();
    const there = await hostNamed('there', { url }).runtime();
    const session = { id: 's1', holder: 'session:s1', project: '' };
    await there.sessions.begin(session, session);
    await there.tasks.create([{ title: 'Held' }], nobody);
    await there.tasks.claimNext({}, {}, session);
    const holdsAll = async () => {
      await here.maintenance.runOnce();
      const [open, held] = await Promise.all([
        here.db.all('select 1 from sessions where ended_at is null'),
        here.db.all("select 1 from tasks where status = 'in_progress'"),
      ]);
      return [open.length, held.length];
    };
    // What an outage of more than a minute leaves.
    pass(70_000);
    await here.db.run('update sessions set heartbeat_at = heartbeat_at - 70000');
    await here.db.run('update tasks set lease_expires_at = lease_expires_at - 70000');
    expect(await holdsAll()).toEqual([1, 1]);
    // In touch for long enough, by questions that are no more than ten seconds apart.
    for (let seconds = 0; seconds < 65; seconds += 10) {
      pass(10_000);
      await here.db.get('select 1 as one');
    }
    expect(await holdsAll()).toEqual([0, 0]);
  });

  it('has the time of the database also after its own clock was set', async () => {
    const db = await openPostgresStore();
    const now = Date.now;
    onTestFinished(() => {
      Date.now = now;
    });
    expect(db.clockOffset()).toBe(0);
    for (const aheadMs of [300_000, -300_000]) {
      Date.now = () => now() + aheadMs;
      await db.run("update counters set value = 1 where name = 'a'");
      expect(Math.abs(Date.now() + db.clockOffset() - now())).toBeLessThan(30_000);
    }
  });
});
