import type { Command } from 'commander';
import { jobStatuses } from '../core/jobs/job.js';
import { failurePolicies } from '../core/tasks/task.js';
import { defineCommand } from './define-command.js';
import { commandName } from './launch.js';
import {
  argument,
  choice,
  completedBy,
  count,
  flag,
  list,
  optionalArgument,
  port,
  requiredText,
  text,
  textWithDefault,
} from './options.js';
import { scheduleCommands } from './schedule-commands.js';

const id = completedBy('job', optionalArgument('the job: the id that submit printed, or the beginning of it'));
const jobId = completedBy('job', text('--job-id <id>', 'the same, as an option'));

const agentCommands = [
  defineCommand({
    name: 'list',
    description: 'List the job types and the payload that each takes.',
    isDefault: true,
    options: { type: text('--type <type>', 'only this type, with its whole schema') },
    load: async () => (await import('./jobs/list-jobs.js')).runAgents,
  }),
  defineCommand({
    name: 'new',
    description: 'Write an agent of your own that works, with a test, and name it in the config file.',
    arguments: { name: argument('the job type, such as count-words') },
    options: { isTypeScript: flag('--ts', 'in TypeScript') },
    load: async () => (await import('./agents/new-agent.js')).runNewAgent,
  }),
  defineCommand({
    name: 'test',
    description: 'Run an agent of your own once, without a job: prints its progress, log and result.',
    arguments: { name: argument('a job type of your modules, or the path of a module') },
    options: {
      payload: requiredText('--payload <json|file>', 'a JSON object, or the file that holds it'),
      type: text('--type <type>', 'which agent of a module with several'),
    },
    load: async () => (await import('./agents/test-agent.js')).runTestAgent,
  }),
];

/** The commands of the earlier job server, and those that it lacked. */
export const jobCommands = [
  { name: 'agents', description: 'List the job types; write and try agents of your own.', commands: agentCommands },
  scheduleCommands,
  defineCommand({
    name: 'worker',
    description: 'Work the queue and fire schedules until a signal ends it, whether a session lives or not.',
    options: {
      types: list('--types <types>', 'only jobs of these types, with commas between (default: all)'),
      provides: list('--provides <names>', 'what this machine has, such as gpu, for jobs that require it'),
      concurrency: count('--concurrency <count>', 'jobs at once, model calls and others each (default: the limits)'),
      processes: count('--processes <count>', 'jobs other than model calls at once, each in a process'),
      port: port('--port <number>', 'answer /healthz and /metrics there', { least: 0 }),
      host: textWithDefault('--host <name>', 'the address to listen on', '127.0.0.1'),
      drainTimeout: count(
        '--drain-timeout <seconds>',
        'hand jobs back so long after the first signal (default: 300)',
        300,
      ),
    },
    logsWarnings: true,
    load: async () => (await import('./worker/worker.js')).runWorker,
  }),
  defineCommand({
    name: 'submit',
    description: 'Submit a job. It runs in a process of its own and goes on when this command ends.',
    options: {
      type: requiredText('--type <type>', 'the job type; `agents` lists them'),
      payload: requiredText('--config, --payload <json|file>', 'the payload: a JSON object, or the file that holds it'),
      metadata: text('--metadata <json|file>', 'data to store with the job: a JSON object, or the file that holds it'),
      priority: text('--priority <1-10>', '10 runs first (default: 5)'),
      dependsOn: completedBy(
        'job',
        list('--depends-on <job-id>', 'a job that must complete first; repeat it for more'),
      ),
      onDependencyFailure: choice(
        '--on-dependency-failure <policy>',
        'when that job fails: cancel (default), block until it is retried, skip, or run all the same',
        failurePolicies,
      ),
      runAt: text('--run-at <time>', 'do not start before this time, ISO 8601 with a zone'),
      maxAttempts: text('--max-attempts <count>', 'attempts after temporary failures (default: 3)'),
      timeout: text('--timeout <seconds>', 'how long one attempt may take'),
      idempotencyKey: text('--idempotency-key <key>', 'a name of your choice: the same key again is the same job'),
      concurrencyKey: text(
        '--concurrency-key <key>',
        'of the jobs with this key so many run at once as the limit says',
      ),
      concurrencyLimit: text('--concurrency-limit <count>', "of that key (default: the config file's, or 1)"),
      uniqueKey: text('--unique-key <key>', 'a pending or running job with this key is returned instead'),
      grid: text('--grid <json|file>', 'submit a sweep: a list of values for each of some fields of the payload'),
      wait: flag('--wait', 'wait for the job to end; the exit code is 1 unless it completes'),
      plot: flag('--plot', 'backtest: also save a chart of equity against buy and hold'),
    },
    helpAfter: `
Examples:
  ${commandName} submit --type ml_experiment --config '{"model": "linear", "dataset": "iris", "epochs": 10}'
  ${commandName} submit --type backtest --config backtest.json --metadata '{"user": "quant"}' --plot --wait
  ${commandName} submit --type ml_experiment --config '{"epochs": 50}' --grid '{"learning_rate": [0.1, 0.01]}'
  ${commandName} submit --type generic --config '{}' --depends-on 3f2c9a1e-... --run-at 2026-12-01T09:00:00Z

After \`submit\`, --config is the payload. Before it, and with every other command, --config is the config file.
`,
    load: async () => (await import('./jobs/submit.js')).runSubmit,
  }),
  defineCommand({
    name: 'status',
    description:
      'Show a job: its progress, its error, its artifacts and the end of its log; without an id, the runtime.',
    arguments: { id },
    options: { jobId },
    load: async () => (await import('./jobs/status.js')).runStatus,
  }),
  defineCommand({
    name: 'list-jobs',
    description: 'List jobs, newest first.',
    options: {
      statusFilter: choice('--status-filter <status>', 'only jobs with this status', jobStatuses),
      type: text('--type <type>', 'only jobs of this type'),
      isDead: flag('--dead', 'only dead letters: jobs whose process vanished too often'),
      limit: text('--limit <count>', 'at most this many (default: 20)'),
      isAll: flag('--all', 'every job of every project'),
    },
    load: async () => (await import('./jobs/list-jobs.js')).runListJobs,
  }),
  defineCommand({
    name: 'compare',
    description: 'Compare jobs by parameters and figures, the best on top.',
    usage: '[SWEEP | JOB ...] [options]',
    options: {
      type: text('--type <type>', 'jobs of this type'),
      where: list('--where <condition>', 'only jobs that meet it, such as sharpe>1; repeat it for more'),
      figures: list(
        '--figure <name>',
        'a field of the result; the first ranks, -name: less is better; repeat it for more',
      ),
      limit: text('--limit <count>', 'at most this many (default: 20)'),
    },
    allowsExcessWords: true,
    load: async () => (await import('./jobs/compare.js')).runCompare,
  }),
  defineCommand({
    name: 'cancel',
    description: 'Cancel a waiting or running job, or a whole sweep; output that it has written is kept.',
    arguments: { id },
    options: { jobId },
    load: async () => (await import('./jobs/cancel-and-retry.js')).runCancel,
  }),
  defineCommand({
    name: 'wait',
    description:
      'Wait for a job and show its progress; the exit code is 1 unless it completes. Ctrl-C stops waiting, and the job goes on.',
    arguments: { id },
    options: { jobId },
    load: async () => (await import('./jobs/wait.js')).runWait,
  }),
  defineCommand({
    name: 'result',
    description: 'Print the result of a completed job.',
    arguments: { id },
    options: { jobId, file: text('-o, --output <file>', 'write the result to this file instead') },
    load: async () => (await import('./jobs/result.js')).runResult,
  }),
  defineCommand({
    name: 'logs',
    description: 'Print the log of a job.',
    arguments: { id },
    options: {
      jobId,
      isFollowed: flag(
        '-f, --follow',
        'print new entries as they come, until the job ends; with --json, one document a line',
      ),
    },
    load: async () => (await import('./jobs/logs.js')).runLogs,
  }),
  defineCommand({
    name: 'retry',
    description: 'Run a failed, cancelled or dead job again, with a fresh count of attempts.',
    arguments: { id },
    options: {
      jobId,
      isDead: flag('--redrive, --dead', 'only dead letters: the given one, or all of them'),
    },
    load: async () => (await import('./jobs/cancel-and-retry.js')).runRetry,
  }),
  defineCommand({
    name: 'metrics',
    description: 'Show rates, times, errors and queues of jobs, agents, models and tools.',
    options: {
      window: textWithDefault('--window <age>', 'how far back to look: a number with m, h, d or w', '1h'),
      isPrometheus: flag('--prometheus', 'all counters and gauges, in the text format of Prometheus'),
    },
    load: async () => (await import('./metrics.js')).runMetrics,
  }),
];

/**
 * The earlier job server took the payload as `submit --config`. Before `submit`, and with every other command, `--config`
 * names the config file. So that both can be given, the one after `submit` is replaced by its other name.
 */
export function withPayloadNamed(program: Command, args: readonly string[]): string[] {
  const place = placeOfCommand(program, args);
  if (args[place] !== 'submit') return [...args];
  return args.map((arg, index) => (index > place ? arg.replace(/^--config(?==|$)/, '--payload') : arg));
}

function placeOfCommand(program: Command, args: readonly string[]): number {
  let isValue = false;
  return args.findIndex((arg) => {
    const isCommand = !isValue && !arg.startsWith('-');
    isValue =
      !isValue && program.options.some((option) => option.required && [option.short, option.long].includes(arg));
    return isCommand;
  });
}
