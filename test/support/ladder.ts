/**
 * The floors of the house, from the ground up: a room may import from the floors below its own, and from itself.
 * A name that ends in `.ts` is one file; `*` stands for every room that is not named. `test/layers.test.ts` holds the code to it, and the drawing in `src/README.md`
 * is made from it.
 */
export type Ladder = readonly (readonly string[])[];

export const house: Ladder = [
  ['base'],
  ['store'],
  ['core'],
  ['llm', 'downstream', 'worktrees', 'webhooks'],
  ['agents', 'config.ts'],
  ['runner', 'agent-host.ts'],
  ['services'],
  ['maintenance.ts'],
  ['runtime.ts'],
  ['tools', 'job-runner.ts', 'server-keeper.ts'],
  ['mcp', 'library'],
  ['http', 'index.ts'],
  ['cli'],
  ['main.ts'],
  ['program.ts'],
  ['start.ts'],
];

/** Runs in a browser: imports nothing of the program but types of the wire. */
export const page = 'dashboard';

/** The ladders inside the rooms that have floors of their own. */
export const inside: Readonly<Record<string, Ladder>> = {
  core: [
    ['actor.ts'],
    ['change.ts', 'lease.ts', 'ports.ts', 'maintenance-lease.ts', 'budget'],
    ['events', 'metrics', 'process-identity.ts', 'worker-slot.ts', 'path-reservation.ts'],
    ['worktrees', 'event-targets'],
    ['tasks', 'breakers', 'rates'],
    ['jobs'],
    ['coordination'],
    ['goals', 'relay', 'access', 'messages', 'attention'],
    ['goal-runs', 'overview', 'retention', 'schedules'],
  ],
  downstream: [
    ['connection', 'native'],
    ['pool', 'processes.ts'],
    ['routing', 'exposed-tools.ts', 'keeper', 'rank-tools.ts', 'server-launcher.ts', 'wanted-login.ts'],
    ['views.ts', 'config-watch.ts', 'catalogs.ts'],
    ['downstream.ts'],
  ],
  tools: [['call'], ['shapes'], ['*'], ['index.ts']],
};

/** The one folder that writes each table. The store itself writes them all: it makes them, and adopts older files. */
export const writers: Readonly<Record<string, string>> = {
  acknowledgements: 'core/attention',
  access_codes: 'core/access',
  access_tokens: 'core/access',
  browser_sessions: 'core/access',
  http_servers: 'core/access',
  breakers: 'core/breakers',
  breaker_calls: 'core/breakers',
  breaker_failures: 'core/breakers',
  breaker_permits: 'core/breakers',
  budgets: 'core/budget',
  budget_reservations: 'core/budget',
  sessions: 'core/coordination',
  worker_slots: 'core',
  duties: 'core',
  events: 'core/events',
  event_deliveries: 'core/event-targets',
  event_targets: 'core/event-targets',
  jobs: 'core/jobs',
  artifact_chunks: 'core/jobs',
  job_artifacts: 'core/jobs',
  job_attempts: 'core/jobs',
  job_chunks: 'core/jobs',
  job_counts: 'core/jobs',
  job_periods: 'core/overview',
  job_dependencies: 'core/jobs',
  job_logs: 'core/jobs',
  queue_workers: 'core/jobs',
  rate_limits: 'core/rates',
  rate_uses: 'core/rates',
  runners: 'core/jobs',
  messages: 'core/messages',
  message_receipts: 'core/messages',
  metric_counters: 'core/metrics',
  path_reservations: 'core',
  relay_batons: 'core/relay',
  relay_pipelines: 'core/relay',
  relay_results: 'core/relay',
  relay_steps: 'core/relay',
  schedules: 'core/schedules',
  schedule_firings: 'core/schedules',
  goals: 'core/tasks',
  task_counts: 'core/tasks',
  task_dependencies: 'core/tasks',
  task_templates: 'core/tasks',
  tasks: 'core/tasks',
  worktrees: 'core/worktrees',
  native_answers: 'downstream/native',
  native_lines: 'downstream/native',
  known_tools: 'downstream/pool',
  tool_lists: 'downstream/pool',
  server_lists: 'downstream/pool',
  tool_server_scales: 'downstream/pool',
  tool_processes: 'downstream',
  tool_cache: 'downstream/routing',
  tool_calls: 'downstream/routing',
  tool_routes: 'downstream/routing',
};
