import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from './fleet.js';
import type { User } from './user.js';
import type { World } from './world.js';

const jobsWithinMs = 240_000;
const leftoversWithinMs = 60_000;
const processesWithinMs = 30_000;

/**
 * Lets a single user wait until all schedules have fired and all jobs have ended, and until nothing is left of what dead sessions had started: what the
 * dead leave is found by the living.
 */
export async function settle(
  user: User,
  { engine, stopWorker }: Pick<World, 'engine' | 'stopWorker'>,
  fleet: Fleet,
): Promise<string[]> {
  await until(jobsWithinMs, async () => {
    // It may be the first call of a server, whose start looks after what others left.
    await user.call('runtime_status');
    const open = await engine.rows(
      `select id from jobs where status in ('pending', 'running') union all
       select id from schedules where status = 'active' limit 1`,
    );
    return open.length === 0;
  });
  // Its runners stay as long as it does.
  await stopWorker();
  await until(leftoversWithinMs, async () => {
    await user.call('runtime_status');
    return leftIn(fleet).length === 0;
  });
  return leftIn(fleet).map((one) => `Left by the dead, and not ended by a living session: ${one}.`);
}

/** All but the servers that are in use. */
const leftIn = (fleet: Fleet): string[] => runningIn(fleet).filter((one) => !/^(server|http) /.test(one));

const runningIn = (fleet: Fleet): string[] => [
  ...fleet.list().map(({ pid, kind }) => `${kind} ${pid}`),
  ...fleet.others().map(({ pid, command }) => `process ${pid} (${command})`),
];

/** Waits until all processes have ended, with nobody left to start any; returns those that have not. */
export async function findOrphans(fleet: Fleet): Promise<string[]> {
  await until(processesWithinMs, async () => runningIn(fleet).length === 0);
  return runningIn(fleet).map((one) => `Still running: ${one}.`);
}

async function until(withinMs: number, isSo: () => Promise<boolean>): Promise<void> {
  for (const giveUpAt = performance.now() + withinMs; performance.now() < giveUpAt; await sleep(500)) {
    if (await isSo()) return;
  }
}
