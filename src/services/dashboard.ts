import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import { messageOf, RuntimeError } from '../base/errors.js';
import type { HttpServerEntry, HttpServers } from '../core/access/http-servers.js';
import type { Rights } from '../core/access/pass.js';
import { takeMaintenanceLease } from '../core/maintenance-lease.js';
import { runnerEnvironment } from '../runner/environment.js';
import { spawnDetached } from '../runner/spawn.js';
import type { Database } from '../store/sql.js';

export interface DashboardNeeds {
  db: Database;
  clock: Clock;
  httpServers: HttpServers;
  /** Starts one that outlives this process. */
  startDashboard(): Promise<void>;
}

/** A new dashboard needs a second or two, and more on a busy machine. */
const patienceMs = 20_000;
const lookMs = 100;

/**
 * The dashboard that runs, or a new one. Only the owner may start one: it is a process of theirs. Throws `unavailable` if
 * none runs and none could be started.
 */
export async function findOrStartDashboard(needs: DashboardNeeds, { tokenId }: Rights): Promise<HttpServerEntry> {
  const running = await findDashboard(needs);
  if (running) return running;
  if (tokenId !== 'owner') throw none('No dashboard is running, and only its owner may start one.');
  // Of several callers at once, one starts it, and all wait for it.
  if (await takeMaintenanceLease(needs.db, 'start dashboard', patienceMs, needs.clock.now())) {
    await needs.startDashboard().catch((error: unknown) => {
      throw none(`No dashboard is running, and none could be started: ${messageOf(error)}.`, error);
    });
  }
  const giveUpAt = performance.now() + patienceMs;
  while (performance.now() < giveUpAt) {
    const started = await findDashboard(needs);
    if (started) return started;
    await sleep(lookMs);
  }
  throw none(
    `A dashboard was started, and has not come up within ${patienceMs / 1000} s; logs/dashboard.log says why.`,
  );
}

const dashboardIdleSeconds = 3_600;

/** Starts a dashboard that outlives this process. */
export function startDashboard({ config, runnerEntry }: { config: Config; runnerEntry: string }): Promise<void> {
  const main = join(dirname(runnerEntry), 'main.js');
  const readOnly = config.isReadOnly ? ['--read-only'] : [];
  return spawnDetached([main, 'dashboard', '--until-idle', String(dashboardIdleSeconds), ...readOnly], {
    logFile: join(config.dataDir, 'logs', 'dashboard.log'),
    env: runnerEnvironment(config),
  });
}

async function findDashboard({ httpServers }: DashboardNeeds): Promise<HttpServerEntry | undefined> {
  return (await httpServers.live()).find(({ hasPage }) => hasPage);
}

function none(message: string, cause?: unknown): RuntimeError {
  const hint = 'Ask the user to run `agent-runtime dashboard --open` in a terminal, then call this again.';
  return new RuntimeError('unavailable', message, hint, cause === undefined ? undefined : { cause });
}
