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
  /** Closes the runtime. */
  close(): void;
}

/** A runner acts for no session of its own. */
const anonymous: Actor = { holder: null, project: '' };

const sweepMs = 15_000;
/** Jobs that move close together start runners by one look. */
const fillMs = 50;

/** The life of a runner's process: drains the queue, sweeps it meanwhile, and ends. Never returns. */
export async function runMainLoop({ runnerId, drain, jobs, log, close }: MainLoopNeeds): Promise<never> {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, drain.onTerminate);
  process.on('uncaughtException', drain.onUncaught);
  process.on('unhandledRejection', drain.onUncaught);
  process.on('exit', drain.onExit);

  const logFailure = (error: unknown) => log.warn('the queue could not be swept', { error });
  // They are the runner's log. When its disk is full, what agents print is lost, and the work goes on.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

  let filling: NodeJS.Timeout | undefined;
  drain.onMoved(() => {
    filling ??= setTimeout(() => {
      filling = undefined;
      if (drain.mayNeedOthers) jobs.fill(anonymous).catch(logFailure);
    }, fillMs);
  });
  drain.onDue(() => void jobs.sweep(anonymous).catch(logFailure));
  // Sessions sweep too, but work goes on when no session is left.
  const timer = setInterval(() => void jobs.sweep(anonymous).catch(logFailure), sweepMs);

  let isBroken = true;
  try {
    const end = await drain.done;
    ({ isBroken } = end);
    if (isBroken) await jobs.sweep(anonymous);
    else if (!end.isStopped) await jobs.fill(anonymous);
  } catch (error) {
    log.error('the runner ends with an error', { error });
    process.exitCode = 1;
  } finally {
    clearInterval(timer);
    clearTimeout(filling);
    close();
    if (isBroken) endGroup(runnerId);
  }
  process.exit();
}

/** Kills everything that an agent which does not stop has started, and this process, the leader of its group. */
function endGroup(runnerId: string): void {
  endDescendants(runnerId);
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    // It was started by hand, and leads no group.
  }
}
