import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AgentRegistry, createAgents, jobEffects } from './agents/index.js';
import { type Clock, systemClock } from './base/clock.js';
import type { Config } from './base/config.js';
import { createGit } from './base/git.js';
import type { Log } from './base/log.js';
import { makePrivateDirectory } from './base/private-files.js';
import { createRedactor, type Redact } from './base/redact.js';
import { readServers } from './config.js';
import { type Access, createAccess } from './core/access/access.js';
import { createHttpServers, type HttpServers } from './core/access/http-servers.js';
import { type Breakers, createBreakers } from './core/breakers/breakers.js';
import { createReservations, type Reservations } from './core/coordination/reservations.js';
import { createSessions, type Sessions } from './core/coordination/sessions.js';
import { createSlots, type Slots } from './core/coordination/slots.js';
import { createWorkers, type Workers } from './core/coordination/workers.js';
import { createEventTargets, type EventTargets } from './core/event-targets/event-targets.js';
import { createGoalRuns, type GoalRuns } from './core/goal-runs/goal-runs.js';
import { createGoals, type Goals } from './core/goals/goals.js';
import { createJobStore } from './core/jobs/job-store.js';
import { laneOf } from './core/jobs/lane.js';
import type { JobEnded } from './core/jobs/outcome.js';
import { createQueueWorkers, type QueueWorkers } from './core/jobs/queue-workers.js';
import { wakeBlockedJobs } from './core/jobs/wake-jobs.js';
import { takeMaintenanceLease } from './core/maintenance-lease.js';
import { createMessages, type Messages } from './core/messages/messages.js';
import { createMetrics, type Metrics } from './core/metrics/metrics.js';
import { findLiveProcesses, type LiveProcess, nameProcess } from './core/overview/sessions.js';
import { readToolProcesses, type ToolProcess } from './core/overview/tool-processes.js';
import type { Processes } from './core/ports.js';
import { createRelayRuns, type RelayRuns } from './core/relay/relay-runs.js';
import { createRelays, type Relays } from './core/relay/relays.js';
import { createSchedules, type Schedules } from './core/schedules/schedules.js';
import { createTaskBoard, type Tasks } from './core/tasks/tasks.js';
import { keeperLock, keeperSocket, makeSocketFolder } from './downstream/connection/keeper-place.js';
import type { KeeperAccess } from './downstream/connection/keeper-wire.js';
import { toolServerMark } from './downstream/connection/launch.js';
import { createDownstream, type Downstream } from './downstream/downstream.js';
import { Keeper } from './downstream/keeper/keeper.js';
import { nativeTools } from './downstream/native/index.js';
import { createServerProcesses, type ServerProcesses } from './downstream/processes.js';
import { createModels, type Models } from './llm/index.js';
import { Maintenance } from './maintenance.js';
import { createCrashReports } from './runner/crash-report.js';
import { endMarked } from './runner/descendants.js';
import { Drain } from './runner/drain.js';
import {
  capabilitiesOf,
  keeperEnvironment,
  lanesOf,
  moduleEnvironment,
  modulesOf,
  runnerEnvironment,
} from './runner/environment.js';
import { startTimeOf, systemProcesses } from './runner/identity.js';
import { createJobs, type Jobs } from './runner/jobs.js';
import { createSpool } from './runner/persist-outcome.js';
import { createSpawner, spawnDetached } from './runner/spawn.js';
import type { Watchdog } from './runner/watchdog.js';
import { Worker } from './runner/worker.js';
import { startDashboard } from './services/dashboard.js';
import { createDeliverer, type Deliverer } from './services/event-delivery/deliverer.js';
import { createScheduler, type Scheduler } from './services/schedules.js';
import { databaseClock } from './store/database-clock.js';
import { openDatabase } from './store/open.js';
import type { Database } from './store/sql.js';
import { takeProcessLock } from './store/sqlite/process-lock.js';
import { createWorktrees, type Worktrees } from './worktrees/worktrees.js';

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
  readonly queueWorkers: QueueWorkers;
  readonly metrics: Metrics;
  readonly breakers: Breakers;
  readonly relays: Relays;
  readonly relayRuns: RelayRuns;
  readonly schedules: Schedules;
  readonly scheduler: Scheduler;
  readonly models: Models;
  readonly agents: AgentRegistry;
  readonly sessions: Sessions;
  readonly slots: Slots;
  readonly workers: Workers;
  readonly reservations: Reservations;
  readonly messages: Messages;
  readonly worktrees: Worktrees;
  readonly access: Access;
  readonly httpServers: HttpServers;
  readonly downstream: Downstream;
  readonly maintenance: Maintenance;
  readonly eventTargets: EventTargets;
  readonly deliverer: Deliverer;
  /** Other processes that have the database open. */
  liveProcesses(): Promise<LiveProcess[]>;
  /** The processes of tool servers of all sessions. */
  toolProcesses(): Promise<ToolProcess[]>;
  /** Starts a dashboard that outlives this process, and ends when nobody has looked at it for an hour. */
  startDashboard(): Promise<void>;
  /** The worker of this process, not started yet; only where the config has one. */
  startWorker(url: string | null): Worker;
  /** Drains the job queue in this process: what the detached runner does. */
  startDrain(runnerId: string, watchdog?: Watchdog): Drain;
  /** Keeps shared tool servers for all who connect to the socket; undefined if another process does so already. */
  startKeeper(socket: string): Promise<Keeper | undefined>;
  /** Ends at once; synchronous, so that it can be the last thing a process does. */
  close(): void;
}

export interface RuntimeOptions {
  config: Config;
  log: Log;
  clock?: Clock;
  processes?: Processes;
  /** The bundled job-runner; found beside this module unless a test says otherwise. */
  runnerEntry?: string;
}

export { nameSession, type Session, type SessionInfo } from './core/coordination/sessions.js';

/** Opens the database and builds every part over it. Throws RuntimeError `unavailable` with the way to fix it. */
export async function openRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { config, log } = options;
  const hostClock = options.clock ?? systemClock(config.hostId);
  const processes = options.processes ?? systemProcesses(hostClock.bootId, config.hostId);
  const runnerEntry = options.runnerEntry ?? fileURLToPath(new URL('./job-runner.js', import.meta.url));
  const redact = createRedactor(config.secrets);
  const backupDir = join(config.dataDir, 'backups');
  const db = await openDatabase({
    file: config.dbPath,
    url: config.dbUrl,
    backupDir,
    log,
    now: hostClock.now,
    nameProcess,
  });
  const clock = options.clock ?? databaseClock(db, hostClock);
  const ground: Ground = { config, db, clock, log, processes, redact, runnerEntry };

  const breakers = createBreakers({ db, clock, onClosed: wakeBlockedJobs });
  const models = createModels(config);
  const hostId = db.isShared ? processes.self().hostId : null;
  const worktrees = createWorktrees({ ...ground, git: createGit(config.env), dataDir: config.dataDir, hostId });
  const agents = buildAgents(ground, breakers, models, worktrees);
  const queue = buildQueue(ground, agents, models);
  const downstream = buildDownstream(ground, breakers);
  const metrics = createMetrics({
    db,
    clock,
    // Any type may have every runner there may be.
    slots: new Map([...agents.types].map((type) => [type, lanesOf(config)[laneOf(type)].atOnce])),
  });
  const sessions = createSessions(ground);
  const slots = createSlots({ ...ground, limit: config.workerSlots });
  const reservations = createReservations(ground);
  const tasks = createTaskBoard(ground);
  const { jobs, goalRuns, relayRuns, startDrain, capabilities, spawner } = queue;
  const queueWorkers = createQueueWorkers(ground);
  const schedules = createSchedules(ground);
  const { provides } = capabilities;
  const scheduled = { agents, models, worktrees, jobs, goalRuns, relayRuns, schedules, provides };
  const scheduler = createScheduler({ ...ground, ...scheduled });
  const eventTargets = createEventTargets(ground);
  const deliverer = createDeliverer({ ...ground, eventTargets });
  const upkept = {
    deliverer,
    queueWorkers,
    sessions,
    slots,
    reservations,
    tasks,
    goalRuns,
    jobs,
    scheduler,
    metrics,
    downstream,
    worktrees,
  };
  const maintenance = new Maintenance({
    config,
    backupDir,
    ofHost: hostId === null ? '' : `@${hostId}`,
    db,
    clock,
    log,
    ...upkept,
  });

  return {
    config,
    db,
    clock,
    log,
    goals: createGoals(ground),
    goalRuns,
    tasks,
    jobs,
    queueWorkers,
    metrics,
    breakers,
    relays: createRelays(ground),
    relayRuns,
    schedules,
    scheduler,
    models,
    agents,
    sessions,
    slots,
    workers: createWorkers(ground),
    reservations,
    messages: createMessages(ground),
    worktrees,
    access: createAccess(ground),
    httpServers: createHttpServers(ground),
    downstream,
    maintenance,
    eventTargets,
    deliverer,
    liveProcesses: () => findLiveProcesses(db, processes),
    toolProcesses: () => readToolProcesses(db, processes),
    startDashboard: () => startDashboard(ground),
    startDrain,
    startWorker(url) {
      if (!config.worker) throw new Error('This process is no worker.');
      return new Worker({ worker: config.worker, queueWorkers, jobs, spawner, log, url });
    },
    startKeeper: (socket) => startKeeper(ground, socket),

    close() {
      const ends = [...maintenance.stop(), ...deliverer.stop()];
      agents.close();
      downstream.close();
      db.close([...metrics.ending(), ...downstream.ending(), ...ends]);
    },
  };
}

/** What every part stands on. */
interface Ground {
  config: Config;
  db: Database;
  clock: Clock;
  log: Log;
  processes: Processes;
  redact: Redact;
  runnerEntry: string;
}

function buildAgents(ground: Ground, breakers: Breakers, models: Models, worktrees: Worktrees): AgentRegistry {
  const { config, db, clock, log, runnerEntry } = ground;
  const agents = createAgents({
    db,
    clock,
    log,
    breakers,
    models,
    worktrees,
    rates: config.rates,
    dataDir: config.dataDir,
    priceDownload: config.pricesUrl ? { urlTemplate: config.pricesUrl, env: config.env } : undefined,
    commands: config.commands,
    configPath: config.configPath,
    env: config.env,
    modules: {
      modules: modulesOf(config),
      cacheDir: join(config.dataDir, 'modules'),
      entry: join(dirname(runnerEntry), 'agent-host.js'),
      env: moduleEnvironment(config),
    },
  });
  for (const type of agents.types) log.debug('agent_registered', { type });
  return agents;
}

/** The queue, and what moves on when a job ends: runs of goals and of relays. */
function buildQueue(ground: Ground, agents: AgentRegistry, models: Models) {
  const { config, db, clock, log, processes, redact, runnerEntry } = ground;
  const goalRuns = createGoalRuns({ db, clock });
  const relayRuns = createRelayRuns({ db, clock });
  const onEnded: JobEnded = async (sql, job, change) => {
    await goalRuns.onEnded(sql, job, change);
    await relayRuns.onEnded(sql, job, change);
  };
  const limits = {
    lanes: lanesOf(config),
    workerId: config.worker?.id,
    capabilities: capabilitiesOf(models, agents, config),
  };
  const store = createJobStore({ db, clock, processes, ...limits, effects: jobEffects(clock), onEnded });
  const logDir = join(config.dataDir, 'logs');
  const spawner = createSpawner({
    processes,
    entry: runnerEntry,
    logFile: join(logDir, 'runner.log'),
    env: runnerEnvironment(config),
    heapMb: config.runnerHeapMb,
  });
  const spool = createSpool(config.dataDir);
  const crashReports = createCrashReports(logDir, config.runnerHeapMb);
  // The rest of the heap is for the calls under way.
  const roomyMb = config.runnerHeapMb / 2;
  const drainNeeds = {
    roomyMb,
    jobs: store,
    loadAgent: agents.load,
    spool,
    log,
    db,
    clock,
    redact,
    dataDir: config.dataDir,
  };
  return {
    goalRuns,
    relayRuns,
    capabilities: limits.capabilities,
    spawner,
    jobs: createJobs({
      db,
      clock,
      store,
      spawner,
      spool,
      crashReports,
      dataDir: config.dataDir,
      log,
      isReadOnly: config.isReadOnly,
    }),
    startDrain: (runnerId: string, watchdog?: Watchdog): Drain => new Drain({ ...drainNeeds, runnerId, watchdog }),
  };
}

function buildDownstream(ground: Ground, breakers: Breakers): Downstream {
  const { config, db, clock, log, redact } = ground;
  return createDownstream({
    config,
    db,
    clock,
    log,
    redact,
    breakers,
    processes: buildServerProcesses(ground),
    keeper: buildKeeperAccess(ground),
    natives: nativeTools,
    readServers: () => readServers(config.configPath),
    runNative: async (tool, args, signal) =>
      tool.execute(tool.input.parse(args), { signal, db, clock, log, settings: config.native }),
  });
}

function buildServerProcesses({ db, clock, processes }: Ground): ServerProcesses {
  return createServerProcesses({
    db,
    clock,
    processes,
    startTimeOf,
    endMarked: (id) => endMarked(toolServerMark, id),
  });
}

/** Of sessions that need a keeper at once, one in this time starts it. */
const keeperSpawnMs = 3_000;

function buildKeeperAccess({ config, db, clock, processes, runnerEntry }: Ground): KeeperAccess {
  const socket = keeperSocket(config, processes.self());
  const logFile = join(config.dataDir, 'logs', 'keeper.log');
  return {
    socket,
    logFile,
    async summon() {
      if (!(await takeMaintenanceLease(db, `keeper:${basename(socket)}`, keeperSpawnMs, clock.now()))) return;
      const entry = join(dirname(runnerEntry), 'server-keeper.js');
      await spawnDetached([entry, socket], { logFile, env: keeperEnvironment(config) });
    },
  };
}

async function startKeeper(ground: Ground, socket: string): Promise<Keeper | undefined> {
  const lock = keeperLock(socket, ground.config.dataDir);
  makePrivateDirectory(dirname(lock));
  makeSocketFolder(socket);
  if (!(await takeProcessLock(lock))) return undefined;
  const keeper = new Keeper({ socket, processes: buildServerProcesses(ground), log: ground.log });
  await keeper.listen();
  return keeper;
}
