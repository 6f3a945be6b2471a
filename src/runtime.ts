import { rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AgentRegistry, createAgents, jobEffects } from './agents/index.js';
import { type Clock, systemClock } from './base/clock.js';
import type { Config } from './base/config.js';
import { RuntimeError } from './base/errors.js';
import type { Log } from './base/log.js';
import { createRedactor, type Redact } from './base/redact.js';
import { type Access, createAccess } from './core/access/access.js';
import { createHttpServers, type HttpServers } from './core/access/http-servers.js';
import type { Actor } from './core/actor.js';
import { type Breakers, createBreakers } from './core/breakers/breakers.js';
import { createSessions, type Session, type SessionInfo, type Sessions } from './core/coordination/sessions.js';
import { createSlots, type Slots } from './core/coordination/slots.js';
import { clearBoard, createWorkers, type Workers } from './core/coordination/workers.js';
import { createGoalRuns, type GoalRuns } from './core/goal-runs/goal-runs.js';
import { createGoals, type Goals } from './core/goals/goals.js';
import { createJobs, type Jobs } from './core/jobs/jobs.js';
import type { JobEnded } from './core/jobs/outcome.js';
import { takeMaintenanceLease } from './core/maintenance-lease.js';
import { createMetrics, type Metrics } from './core/metrics/metrics.js';
import { findLiveProcesses, type LiveProcess } from './core/overview/live-processes.js';
import type { Processes } from './core/ports.js';
import { createRelayRuns, type RelayRuns } from './core/relay/relay-runs.js';
import { createRelays, type Relays } from './core/relay/relays.js';
import { type Purged, purge } from './core/retention/purge.js';
import { createTaskBoard, type Tasks } from './core/tasks/tasks.js';
import { toolServerMark } from './downstream/connection/launch.js';
import { createDownstream, type Downstream } from './downstream/downstream.js';
import { nativeTools } from './downstream/native/index.js';
import { createServerProcesses } from './downstream/processes.js';
import type { SickServer } from './downstream/views/servers.js';
import { createModels, type Models } from './llm/index.js';
import { endMarked } from './runner/descendants.js';
import { createDispatcher, type Dispatcher } from './runner/dispatcher.js';
import { type Drain, type DrainNeeds, startDrain } from './runner/drain.js';
import { moduleEnvironment, runnerEnvironment } from './runner/environment.js';
import { startTimeOf, systemProcesses } from './runner/identity.js';
import { createLastWords } from './runner/last-words.js';
import { createSpawner } from './runner/spawn.js';
import { createSpool } from './runner/spool.js';
import { backupPath, newestBackup } from './store/backup.js';
import { openDatabase } from './store/open.js';
import type { Database } from './store/sql.js';

/** All parts of the runtime, each built once. */
export interface Runtime {
  readonly config: Config;
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly goals: Goals;
  readonly goalRuns: GoalRuns;
  readonly tasks: Tasks;
  readonly jobs: Jobs;
  readonly metrics: Metrics;
  readonly breakers: Breakers;
  readonly relays: Relays;
  readonly relayRuns: RelayRuns;
  readonly models: Models;
  readonly agents: AgentRegistry;
  readonly sessions: Sessions;
  readonly slots: Slots;
  readonly workers: Workers;
  readonly dispatcher: Dispatcher;
  readonly access: Access;
  readonly httpServers: HttpServers;
  readonly downstream: Downstream;
  /** Writes the session's row and keeps it alive until `close`. */
  beginSession(session: Session, info: SessionInfo): Promise<void>;
  /** Sweeps now and then, also while no session is here. */
  startSweeping(actor: Actor): void;
  /** Ends one session of several, as `close` ends all. */
  endSession(session: Session): Promise<void>;
  /** The part of `sweep` that keeps background work going; runners do it too, as work goes on when no session is left. */
  sweepQueue(actor: Actor): Promise<void>;
  /** Does what any process may do for all: takes back what dead ones held, and has waiting work worked on. */
  sweep(actor: Actor): Promise<void>;
  /** Throws `unavailable` once the daily check has found the database damaged: what is written to it may be lost. */
  requireSound(): void;
  /** Deletes every task, after a backup. */
  clearBoard(actor: Actor): Promise<{ deleted: number; backup: string }>;
  /** Writes a copy of the database to a new file, in the backup directory unless another is named. */
  backup(path?: string, label?: string): Promise<{ path: string; sizeBytes: number }>;
  /** Deletes what ended before a time (epoch milliseconds) and nothing open depends on, with the files of its jobs. */
  purge(before: number, actor: Actor): Promise<Omit<Purged, 'artifactPaths'>>;
  /** Other processes that have the database open. */
  liveProcesses(): Promise<LiveProcess[]>;
  describeSelf(): SelfDescription;
  /** Drains the job queue in this process: what the detached runner does. */
  startDrain(runnerId: string): Drain;
  /** Ends at once; synchronous, so that it can be the last thing a process does. */
  close(): void;
}

/** What this process is set up with. */
export interface SelfDescription {
  databasePath: string;
  databaseBytes: number;
  workerSlots: number;
  defaultModel: string | undefined;
  configuredProviders: string[];
  /** Who breaks a goal down when decompose_goal is not told. */
  planner: string;
  /** Tool servers that were tried in this session and are not up. */
  sickServers: SickServer[];
}

export interface RuntimeOptions {
  config: Config;
  log: Log;
  clock?: Clock;
  processes?: Processes;
  /** The bundled job-runner; found beside this module unless a test says otherwise. */
  runnerEntry?: string;
}

const beatMs = 10_000;
const sweepMs = 15_000;
const dayMs = 86_400_000;

export { nameSession, type Session, type SessionInfo } from './core/coordination/sessions.js';

/** Opens the database and builds every part over it. Throws RuntimeError `unavailable` with the way to mend it. */
export async function openRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { config, log, clock = systemClock() } = options;
  const processes = options.processes ?? systemProcesses(clock.bootId);
  const redact: Redact = createRedactor(config.secrets);
  const backupDir = join(config.dataDir, 'backups');
  const db = await openDatabase({
    file: config.dbPath,
    backupDir,
    log,
    now: clock.now,
  });

  const breakers = createBreakers({ db, clock });
  const models = createModels(config);
  const priceDownload = config.pricesUrl ? { urlTemplate: config.pricesUrl, env: config.env } : undefined;
  const runnerEntry = options.runnerEntry ?? fileURLToPath(new URL('./job-runner.js', import.meta.url));
  const agents = createAgents({
    db,
    clock,
    log,
    breakers,
    models,
    priceDownload,
    commands: config.commands,
    configPath: config.configPath,
    env: config.env,
    modules: {
      paths: config.agents,
      entry: join(dirname(runnerEntry), 'agent-host.js'),
      env: moduleEnvironment(config),
    },
  });
  for (const type of agents.types) log.debug('agent_registered', { type });
  const goalRuns = createGoalRuns({ db, clock });
  const relayRuns = createRelayRuns({ db, clock });
  const onEnded: JobEnded = async (sql, job, change) => {
    await goalRuns.onEnded(sql, job, change);
    await relayRuns.onEnded(sql, job, change);
  };
  const limits = {
    maxRunning: config.maxRunningJobs,
    capabilities: { types: agents.types, provides: [...configuredProviders(models), ...agents.provides] },
  };
  const jobs = createJobs({ db, clock, processes, ...limits, effects: jobEffects, onEnded });
  const metrics = createMetrics({
    db,
    clock,
    // Any type may have every runner there may be.
    slots: new Map([...agents.types].map((type) => [type, config.maxRunningJobs])),
  });
  const logDir = join(config.dataDir, 'logs');
  const spawner = createSpawner({
    processes,
    entry: runnerEntry,
    logFile: join(logDir, 'runner.log'),
    env: runnerEnvironment(config),
    heapMb: config.runnerHeapMb,
  });
  const spool = createSpool(config.dataDir);
  const sessions = createSessions({ db, clock, processes });
  const slots = createSlots({ db, clock, processes, limit: config.workerSlots });
  const dispatcher = createDispatcher({
    jobs,
    spawner,
    spool,
    lastWords: createLastWords(logDir, config.runnerHeapMb),
    log,
  });
  const tasks = createTaskBoard({ db, clock });
  const sessionsHere = new Set<Session>();
  const downstream = createDownstream({
    config,
    db,
    clock,
    log,
    redact,
    breakers,
    processes: createServerProcesses({
      db,
      clock,
      processes,
      startTimeOf,
      endMarked: (id) => endMarked(toolServerMark, id),
    }),
    natives: nativeTools,
    runNative: async (tool, args, signal) =>
      tool.execute(tool.input.parse(args), { signal, db, clock, log, settings: config.native }),
  });
  let damage: string | undefined;
  const timers: NodeJS.Timeout[] = [];

  function every(ms: number, name: string, duty: () => Promise<unknown>): void {
    const timer = setInterval(() => void attempt(name, duty), ms);
    timer.unref();
    timers.push(timer);
  }

  async function attempt(name: string, duty: () => Promise<unknown>): Promise<void> {
    try {
      await duty();
    } catch (error) {
      log.warn('a duty failed', { duty: name, error });
    }
  }

  /** One heartbeat for all sessions of this process: over HTTP it has many. */
  const keepAlive = once(() => {
    every(beatMs, 'heartbeat', async () => {
      for (const session of sessionsHere) await sessions.beat(session);
    });
  });

  const keepSweeping = once((actor: Actor) => {
    every(beatMs, 'write what was counted', metrics.flush);
    every(sweepMs, 'sweep', () => sweep(actor));
  });

  /** One duty that fails does not keep the others from being done. */
  async function sweep(actor: Actor): Promise<void> {
    await attempt('end lost sessions', sessions.sweep);
    await attempt('take back slots', slots.lapse);
    await sweepQueue(actor);
    await attempt('look after tool servers', downstream.sweep);
    await attempt('check the database', checkDaily);
  }

  async function sweepQueue(actor: Actor): Promise<void> {
    await attempt('take back claims', tasks.lapse);
    await attempt('move runs', goalRuns.sweep);
    await attempt('look after the queue', () => dispatcher.sweep(actor));
  }

  /** Ordinary statements do not notice a damaged page; it takes some 50 ms for 50 MB to look at all of them. */
  async function checkDaily(): Promise<void> {
    if (!(await takeMaintenanceLease(db, 'integrity', dayMs, clock.now()))) return;
    damage = await db.check();
    if (damage) log.error('the database is damaged', { file: config.dbPath, damage });
  }

  async function backup(wanted: string | undefined, label: string): Promise<{ path: string; sizeBytes: number }> {
    const path = wanted ?? backupPath({ backupDir, label, now: clock.now() });
    await db.backup(path);
    return { path, sizeBytes: statSync(path).size };
  }

  return {
    config,
    db,
    clock,
    log,
    goals: createGoals({ db, clock }),
    goalRuns,
    tasks,
    jobs,
    metrics,
    breakers,
    relays: createRelays({ db, clock }),
    relayRuns,
    models,
    agents,
    sessions,
    slots,
    workers: createWorkers({ db, clock, processes }),
    dispatcher,
    access: createAccess({ db, clock }),
    httpServers: createHttpServers({ db, clock, processes }),
    downstream,

    async beginSession(session, info) {
      await sessions.begin(session, info);
      sessionsHere.add(session);
      keepAlive();
      keepSweeping(session);
      await sweep(session);
    },

    startSweeping: keepSweeping,

    async endSession(session) {
      if (sessionsHere.delete(session)) await sessions.end(session);
    },

    sweep,
    sweepQueue,

    requireSound() {
      if (damage === undefined) return;
      const newest = newestBackup(backupDir);
      throw new RuntimeError(
        'unavailable',
        `The database ${config.dbPath} is damaged (${damage}); nothing is written to it any more.`,
        `Keep the file with its -wal and -shm. ${newest ? `Then run: agent-runtime restore "${newest}" --force` : 'There is no backup; `sqlite3 FILE .recover` may save rows.'}`,
      );
    },

    async clearBoard(actor) {
      const { path } = await backup(undefined, 'before-clean');
      const deleted = await db.transaction((sql) => clearBoard(sql, { at: clock.now(), actor }));
      return { deleted, backup: path };
    },

    backup: (path, label = 'manual') => backup(path, label),

    async purge(before, actor) {
      const { artifactPaths, ...counts } = await purge(db, before, { at: clock.now(), actor });
      for (const path of artifactPaths) rmSync(path, { force: true });
      return counts;
    },

    liveProcesses: () => findLiveProcesses(db, processes),

    describeSelf() {
      const defaultModel = models.defaultModel();
      return {
        databasePath: config.dbPath,
        databaseBytes: statSync(config.dbPath, { throwIfNoEntry: false })?.size ?? 0,
        workerSlots: config.workerSlots,
        defaultModel,
        configuredProviders: models.available().flatMap(({ id, isConfigured }) => (isConfigured ? [id] : [])),
        planner: defaultModel ?? 'caller',
        sickServers: downstream.sick(),
      };
    },

    startDrain(runnerId) {
      const needs: DrainNeeds = {
        runnerId,
        jobs,
        loadAgent: agents.load,
        spool,
        log,
        db,
        clock,
        redact,
        dataDir: config.dataDir,
      };
      return startDrain(needs);
    },

    close() {
      for (const timer of timers.splice(0)) clearInterval(timer);
      agents.close();
      downstream.close();
      const ends = [...sessionsHere].flatMap((session) => sessions.ending(session));
      db.close([...metrics.ending(), ...downstream.ending(), ...ends]);
    },
  };
}

/** Does what it is told to the first time, and nothing after that. */
function once<Given extends unknown[]>(work: (...given: Given) => void): (...given: Given) => void {
  let isDone = false;
  return (...given) => {
    if (!isDone) work(...given);
    isDone = true;
  };
}

/** Ids of the providers and modules that a runner of this configuration has. */
function configuredProviders(models: Models): string[] {
  return models.available().flatMap(({ id, isUsable }) => (isUsable ? [id] : []));
}
