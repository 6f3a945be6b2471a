/** A metric. Prometheus gets its name with the prefix `agent_runtime_`. */
export interface Definition {
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: readonly string[];
  /** Upper ends of a histogram's buckets in seconds, ascending. A last bucket without an end follows. */
  buckets?: readonly number[];
}

const seconds = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600] as const;

export const definitions = {
  jobs_submitted_total: { type: 'counter', help: 'Jobs put into the queue.', labels: ['type'] },
  jobs_started_total: {
    type: 'counter',
    help: 'Attempts begun; a job that is tried again starts again.',
    labels: ['type'],
  },
  jobs_finished_total: {
    type: 'counter',
    help: 'Jobs that ended; one that is retried by hand may end again.',
    labels: ['type', 'status'],
  },
  job_errors_total: {
    type: 'counter',
    help: 'Attempts that failed or whose runner was lost, also of jobs that were then tried again.',
    labels: ['type', 'code'],
  },
  job_duration_seconds: {
    type: 'histogram',
    help: 'Execution time of the attempt that ended a job.',
    labels: ['type', 'status'],
    buckets: seconds,
  },
  job_queue_wait_seconds: {
    type: 'histogram',
    help: 'From when a job could start (due, dependencies done) to its start.',
    labels: ['type'],
    buckets: seconds,
  },
  queue_depth: {
    type: 'gauge',
    help: 'Jobs that could run now and wait for a runner that takes them.',
    labels: ['type'],
  },
  jobs_waiting: {
    type: 'gauge',
    help: 'Jobs that cannot run yet: not due, or a dependency is open.',
    labels: ['type'],
  },
  jobs_running: { type: 'gauge', help: 'Jobs that run now.', labels: ['type'] },
  agent_slots: {
    type: 'gauge',
    help: 'Jobs of this agent that may run at once, over all processes.',
    labels: ['agent'],
  },
  agent_busy: { type: 'gauge', help: 'Jobs of this agent that run now.', labels: ['agent'] },
  agent_busy_seconds_total: { type: 'counter', help: 'Time that attempts have taken.', labels: ['agent'] },
  llm_requests_total: {
    type: 'counter',
    help: 'Calls of language models; status is ok or why the call failed.',
    labels: ['provider', 'model', 'status'],
  },
  llm_tokens_total: {
    type: 'counter',
    help: 'Tokens of calls of language models, as providers count them.',
    labels: ['provider', 'model', 'direction'],
  },
  llm_cost_dollars_total: {
    type: 'counter',
    help: 'What calls of language models have cost, in US dollars; those without a known price are not in it.',
    labels: ['provider', 'model'],
  },
  llm_unpriced_requests_total: {
    type: 'counter',
    help: 'Calls of language models whose cost is unknown.',
    labels: ['provider', 'model'],
  },
  tool_calls_total: {
    type: 'counter',
    help: 'Calls of tools that were answered; status is ok or the code of the error.',
    labels: ['tool', 'status'],
  },
  tool_server_calls_total: {
    type: 'counter',
    help: 'Calls of tools of other servers, each try counted; status is ok, error (the tool said so) or failed (no answer).',
    labels: ['server', 'instance', 'status'],
  },
  tool_server_call_seconds: {
    type: 'histogram',
    help: 'How long the calls of other servers took that were answered, to within a tenth.',
    labels: ['server', 'instance'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
  circuit_state: {
    type: 'gauge',
    help: 'Circuit breakers: 0 closed, 1 half open, 2 open.',
    labels: ['tool', 'instance'],
  },
  tasks: { type: 'gauge', help: 'Tasks on the board, by state; overdue ones count twice.', labels: ['state'] },
  tasks_ended_last_hour: { type: 'gauge', help: 'Tasks that ended within the last hour.', labels: ['status'] },
  task_cycle_seconds: {
    type: 'gauge',
    help: 'From the start to the end of the tasks that were completed within the last hour.',
    labels: ['percentile'],
  },
  task_waiting_seconds: {
    type: 'gauge',
    help: 'From the creation to the start of the tasks that were completed within the last hour.',
    labels: ['percentile'],
  },
  worker_slots_held: { type: 'gauge', help: 'Worker slots that are held.', labels: [] },
  database_bytes: {
    type: 'gauge',
    help: 'What the database takes on the disk; engine is sqlite or postgres.',
    labels: ['engine'],
  },
  build_info: { type: 'gauge', help: 'The version that answers; always 1.', labels: ['version'] },
} as const satisfies Record<string, Definition>;

export type MetricName = keyof typeof definitions;

type OfType<Type extends Definition['type']> = {
  [Name in MetricName]: (typeof definitions)[Name]['type'] extends Type ? Name : never;
}[MetricName];

export type CounterName = OfType<'counter'>;
export type HistogramName = OfType<'histogram'>;

/** Labels of a metric, each with a value: `{ type: 'llm', status: 'completed' }`. */
export type LabelsOf<Name extends MetricName> = Record<(typeof definitions)[Name]['labels'][number], string>;
