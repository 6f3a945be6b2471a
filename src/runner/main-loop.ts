import type { Log } from '../base/log.js';
import type { Actor } from '../core/actor.js';
import { endDescendants } from './descendants.js';
import type { Drain } from './drain.js';
import type { Jobs } from './jobs.js';

export interface MainLoopNeeds {
  runnerId: string;
  drain: Drain;
  jobs: Pick<Jobs, 'fill' | 'sweep'>;
  log: Log;
  /** Closes what the process has open. */
  close(): void;
}

/** A runner acts for whoever submitted the jobs. */
const nobody: Actor = { holder: null, project: '' };

const sweepMs = 15_000;

/** What a runner's process does: drains the queue, looks after it meanwhile, and ends. */
export async function runMainLoop({ runnerId, drain, jobs, log, close }: MainLoopNeeds): Promise<never> {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, drain.onTerminate);
  process.on('uncaughtException', drain.onUncaught);
  process.on('unhandledRejection', drain.onUncaught);
  process.on('exit', drain.onExit);

  const logFailure = (error: unknown) => log.warn('the queue could not be looked after', { error });
  drain.onTaken(() => void jobs.fill(nobody).catch(logFailure));
  drain.onDue(() => void jobs.sweep(nobody).catch(logFailure));
  // Sessions do this too, but work goes on when none is left.
  const timer = setInterval(() => void jobs.sweep(nobody).catch(logFailure), sweepMs);

  let isBroken = true;
  try {
    ({ isBroken } = await drain.done);
    if (isBroken) await jobs.sweep(nobody);
  } catch (error) {
    log.error('the runner ends with an error', { error });
    process.exitCode = 1;
  } finally {
    clearInterval(timer);
    close();
    if (isBroken) endGroup(runnerId);
  }
  process.exit();
}

/** Whatever an agent that does not stop has started ends with this process, which is the leader of its group. */
function endGroup(runnerId: string): void {
  endDescendants(runnerId);
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    // Started by hand, and no leader of a group.
  }
}
