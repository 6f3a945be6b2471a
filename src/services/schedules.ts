import type { Clock, EpochMs } from '../base/clock.js';
import { messageOf, RuntimeError } from '../base/errors.js';
import type { JsonObject } from '../base/json.js';
import type { Log } from '../base/log.js';
import type { Actor } from '../core/actor.js';
import type { MissedPolicy, OverlapPolicy, Schedule, ScheduleKind } from '../core/schedules/schedule.js';
import type { ScheduleDefinition, ScheduleFilter, Schedules } from '../core/schedules/schedules.js';
import { localTimezone, requireTimezone, Timetable } from '../core/schedules/timetable.js';
import { countFirers, type FirersNeeds, sayFirers } from '../core/schedules/who-fires.js';
import type { Jobs } from '../runner/jobs.js';
import { prepareWork, refuseUnrepeatable, type ScheduledWorkNeeds } from './scheduled-work.js';

/** A new schedule, or what to change of the one of that name; what is left out stays as it is. */
export interface ScheduleRequest {
  name: string;
  kind?: ScheduleKind | undefined;
  request?: JsonObject | undefined;
  cron?: string | undefined;
  timezone?: string | undefined;
  /** Epoch milliseconds: it fires once, then. */
  runAt?: EpochMs | undefined;
  missed?: MissedPolicy | undefined;
  overlap?: OverlapPolicy | undefined;
  paused?: boolean | undefined;
}

export const scheduleActions = ['pause', 'resume', 'run', 'delete'] as const;
export type ScheduleAction = (typeof scheduleActions)[number];

export interface SchedulerNeeds extends Omit<ScheduledWorkNeeds, 'jobs'> {
  clock: Clock;
  log: Log;
  /** For the processes that fire. */
  processes: FirersNeeds['processes'];
  schedules: Schedules;
  jobs: Pick<Jobs, 'get' | 'fill'>;
  /** What this process can fire, as `Capabilities.provides` names it. */
  provides: readonly string[];
}

/** Makes, changes and fires schedules. */
export interface Scheduler {
  /**
   * Stores a schedule, its request checked as its own tool would. Throws `invalid` and what that tool throws; then
   * nothing is stored.
   */
  save(request: ScheduleRequest, actor: Actor): Promise<Schedule>;
  /** Resolves to the schedule, and to the id of what it made where it was run. Throws `not_found`. */
  act(name: string, action: ScheduleAction, actor: Actor): Promise<{ schedule: Schedule; run?: string }>;
  /** Fires all that are due and that this process can fire. One that fails says so and holds up no other. */
  fireDue(): Promise<void>;
  /** By name, each with the next times that it is due. */
  list(filter: ScheduleFilter): Promise<{ schedule: Schedule; next: EpochMs[] }[]>;
  /** The next times that a schedule is due; none for one that is not active. */
  nextTimes(schedule: Schedule): Promise<EpochMs[]>;
  /** What lives that fires schedules, as words. */
  whoFires(): Promise<string>;
  /** When the next one is due; undefined for none. */
  nextDueAt(): Promise<EpochMs | undefined>;
}

/** In one look; what is left has its turn in the next. */
const mostAtOnce = 200;

export function createScheduler(needs: SchedulerNeeds): Scheduler {
  const { schedules, jobs, clock, log, provides } = needs;

  /** Fires one until its next time is yet to come. */
  async function fireOne(due: Schedule): Promise<boolean> {
    const plan = await schedules.plan(due);
    try {
      const { submit } = await prepareWork(due, plan.dueAt, needs);
      const fired = await schedules.fire(due, plan, submit);
      if (fired) log.info('schedule_fired', { schedule: due.name, outcome: fired.outcome, run: fired.run });
      return fired?.outcome === 'started';
    } catch (error) {
      // The database could not be written: the time stays due.
      if (error instanceof RuntimeError && error.code === 'unavailable') throw error;
      log.warn('a schedule could not fire', { schedule: due.name, error });
      await schedules.fail(due, plan, failureOf(error));
      return false;
    }
  }

  return {
    async save(request, actor) {
      const before = await schedules.find(request.name, actor.project);
      const definition = await define(request, before, actor, needs);
      const saved = await schedules.save(definition, before, actor);
      // Where no session lives a runner stays for it.
      await jobs.fill(actor);
      return saved;
    },

    async act(name, action, actor) {
      const schedule = await schedules.get(name, actor.project);
      switch (action) {
        case 'run': {
          const { submit } = await prepareWork(schedule, clock.now(), needs);
          const run = await schedules.fireNow(schedule, submit, actor);
          await jobs.fill(actor);
          return { schedule: await schedules.get(schedule.id, actor.project), run };
        }
        case 'delete':
          await schedules.delete(schedule, actor);
          return { schedule };
        default: {
          const isPaused = action === 'pause';
          if (isPaused === (schedule.status === 'paused')) return { schedule };
          const changes = { ...schedule, ...(await timesOf({ name, paused: isPaused }, schedule, clock)) };
          return { schedule: await schedules.save(changes, schedule, actor) };
        }
      }
    },

    async fireDue() {
      await schedules.followClock();
      const seen = new Set<string>();
      let hasFired = false;
      for (let due = await schedules.due(provides, mostAtOnce); due.length > 0; ) {
        for (const schedule of due) {
          seen.add(`${schedule.id} ${schedule.nextAt}`);
          try {
            hasFired = (await fireOne(schedule)) || hasFired;
          } catch (error) {
            log.warn('a schedule stays due', { schedule: schedule.name, error });
          }
        }
        // One that makes up for what was missed is due again at once; one that could not be written is not tried again.
        const again = await schedules.due(provides, mostAtOnce);
        due = again.filter(({ id, nextAt }) => !seen.has(`${id} ${nextAt}`));
      }
      if (hasFired) await jobs.fill({ holder: null, project: '' });
    },

    async list(filter) {
      const found = await schedules.list(filter);
      return Promise.all(found.map(async (schedule) => ({ schedule, next: await nextTimesOf(schedule) })));
    },

    nextTimes: nextTimesOf,
    whoFires: async () => sayFirers(await countFirers(needs)),
    nextDueAt: () => schedules.nextDueAt(provides),
  };
}

const shownTimes = 3;

async function nextTimesOf({ status, cron, timezone, nextAt }: Schedule): Promise<EpochMs[]> {
  if (status !== 'active' || nextAt === null) return [];
  if (cron === null) return [nextAt];
  return [nextAt, ...(await Timetable.read(cron, timezone)).next(nextAt, shownTimes - 1)];
}

function failureOf(error: unknown): { code: string; message: string } {
  if (!(error instanceof RuntimeError)) return { code: 'internal', message: messageOf(error) };
  return { code: error.code, message: [error.message, error.hint].filter(Boolean).join(' ') };
}

async function define(
  given: ScheduleRequest,
  before: Schedule | undefined,
  actor: Actor,
  needs: SchedulerNeeds,
): Promise<ScheduleDefinition> {
  const { name, kind = before?.kind, request = before?.request } = given;
  if (kind === undefined || request === undefined) {
    throw new RuntimeError(
      'invalid',
      `There is no schedule ${name} yet, so it needs kind and request.`,
      'kind is prompt, job, goal or relay; request is what the tool of that kind takes.',
    );
  }
  refuseUnrepeatable(request);
  const times = await timesOf(given, before, needs.clock);
  const project = before?.project ?? actor.project;
  const { missed = before?.missed ?? 'once' } = given;
  const work = { name, project, kind, request, timezone: times.timezone };
  const { requires } = await prepareWork(work, times.nextAt ?? needs.clock.now(), needs);
  // Those that make up for all that was missed do so at once, one beside the other.
  const overlap = given.overlap ?? before?.overlap ?? (missed === 'all' ? 'allow' : 'skip');
  return { ...work, ...times, requires, missed, overlap };
}

/** When a schedule is due from now on. Throws `invalid` for times that cannot be. */
async function timesOf(
  given: ScheduleRequest,
  before: Schedule | undefined,
  clock: Clock,
): Promise<Pick<Schedule, 'cron' | 'timezone' | 'status' | 'nextAt'>> {
  if (given.cron !== undefined && given.runAt !== undefined) {
    throw new RuntimeError('invalid', 'cron and run_at both say when it is due.', 'Give one of them.');
  }
  const timezone = given.timezone ?? before?.timezone ?? localTimezone();
  const cron = given.cron ?? (given.runAt === undefined ? (before?.cron ?? null) : null);
  const now = clock.now();
  const isPaused = given.paused ?? (before?.status === 'paused' && given.runAt === undefined);
  const status = isPaused ? 'paused' : 'active';
  if (cron !== null) {
    const timetable = await Timetable.read(cron, timezone);
    const isSame = before?.cron === cron && before.timezone === timezone && before.status === status;
    return { cron, timezone, status, nextAt: isSame ? before.nextAt : (timetable.after(now) ?? null) };
  }
  requireTimezone(timezone);
  const at = given.runAt ?? before?.nextAt ?? undefined;
  if (at === undefined) {
    throw new RuntimeError(
      'invalid',
      before ? `Schedule ${given.name} has no time left.` : `Schedule ${given.name} needs a time.`,
      'Give cron, such as 0 9 * * 1-5, or run_at.',
    );
  }
  if (!isPaused && at <= now - lateMs) {
    throw new RuntimeError('invalid', `run_at ${new Date(at).toISOString()} is over.`, 'Give a time to come.');
  }
  return { cron: null, timezone, status, nextAt: at };
}

/** What a call may take to arrive. */
const lateMs = 60_000;
