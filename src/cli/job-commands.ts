import { type Command, Option } from 'commander';
import { jobStatuses } from '../core/jobs/job.js';
import { globalFlagsOf } from './global-flags.js';
import type { RetryOptions } from './jobs/cancel-and-retry.js';
import type { ListOptions } from './jobs/list-jobs.js';
import type { SubmitOptions } from './jobs/submit.js';
import { commandName } from './launch.js';
import type { Output } from './output.js';

/** Jobs: the commands of the earlier job server, and those that it lacked. */
export function addJobCommands(program: Command, output: Output): void {
  program
    .command('agents')
    .description('List the job types there are, and what their payloads take.')
    .option('--type <type>', 'only this type, with its whole schema')
    .action(async ({ type }: { type?: string }, command: Command) => {
      const { runAgents } = await import('./jobs/list-jobs.js');
      await runAgents(type, globalFlagsOf(command), output);
    });

  program
    .command('submit')
    .description('Submit a job; it runs in a process of its own, which goes on when this one ends.')
    .requiredOption('--type <type>', 'the job type; `agents` lists them')
    .requiredOption('--config, --payload <json|file>', 'the payload: a JSON object, or the file that holds it')
    .option('--metadata <json|file>', 'anything to keep with the job: a JSON object, or the file that holds it')
    .option('--priority <1-10>', '10 is done first; 5 unless given')
    .option('--depends-on <job-id>', 'a job that must be completed first; again for more', collect)
    .option('--run-at <time>', 'not before this, ISO 8601 with a zone')
    .option('--max-attempts <count>', 'tries on what may pass; 3 unless given')
    .option('--timeout <seconds>', 'how long one try may take')
    .option('--idempotency-key <key>', 'a name of your own: the same key again is the same job')
    .option('--wait', 'wait for its end; the exit code is 1 unless it completes')
    .option('--plot', 'backtest: also save a chart of equity against buy and hold')
    .addHelpText('after', examples)
    .action(async (options: SubmitOptions, command: Command) => {
      const { runSubmit } = await import('./jobs/submit.js');
      await runSubmit(options, globalFlagsOf(command), output);
    });

  program
    .command('status')
    .description('Show a job: how far it is, its error, its artifacts and the end of its log.')
    .addOption(jobId())
    .action(async (options: OneJob, command: Command) => {
      const { runStatus } = await import('./jobs/status.js');
      await runStatus(options.jobId, globalFlagsOf(command), output);
    });

  program
    .command('list-jobs')
    .description('List jobs, newest first.')
    .addOption(new Option('--status-filter <status>', 'only jobs of this status').choices(jobStatuses))
    .option('--type <type>', 'only jobs of this type')
    .option('--dead', 'only dead letters, whose process vanished too often')
    .option('--limit <count>', 'at most this many; 20 unless given')
    .option('--all', 'every one, of every project')
    .action(async (options: ListOptions, command: Command) => {
      const { runListJobs } = await import('./jobs/list-jobs.js');
      await runListJobs(options, globalFlagsOf(command), output);
    });

  program
    .command('cancel')
    .description('End a job that waits or runs; what it had put out is kept.')
    .addOption(jobId())
    .action(async (options: OneJob, command: Command) => {
      const { runCancel } = await import('./jobs/cancel-and-retry.js');
      await runCancel(options.jobId, globalFlagsOf(command), output);
    });

  program
    .command('wait')
    .description(
      'Wait for a job, showing how it goes on; the exit code is 1 unless it completes. Ctrl-C ends only the waiting.',
    )
    .addOption(jobId())
    .action(async (options: OneJob, command: Command) => {
      const { runWait } = await import('./jobs/wait.js');
      await runWait(options.jobId, globalFlagsOf(command), output);
    });

  program
    .command('result')
    .description("Print a completed job's result.")
    .addOption(jobId())
    .option('-o, --output <file>', 'write it to this file instead')
    .action(async (options: OneJob & { output?: string }, command: Command) => {
      const { runResult } = await import('./jobs/result.js');
      await runResult(options.jobId, options.output, globalFlagsOf(command), output);
    });

  program
    .command('logs')
    .description("Print a job's log.")
    .addOption(jobId())
    .option('-f, --follow', 'go on with each line as it comes, until the job ends; with --json one document a line')
    .action(async (options: OneJob & { follow?: boolean }, command: Command) => {
      const { runLogs } = await import('./jobs/logs.js');
      await runLogs(options.jobId, options.follow === true, globalFlagsOf(command), output);
    });

  program
    .command('retry')
    .description('Run a failed, cancelled or dead job again, with fresh tries.')
    .option('--job-id <id>', 'the job')
    .option('--redrive, --dead', 'only dead letters: the one that --job-id names, or all of them')
    .action(async (options: RetryOptions, command: Command) => {
      const { runRetry } = await import('./jobs/cancel-and-retry.js');
      await runRetry(options, globalFlagsOf(command), output);
    });
}

/**
 * The earlier job server's `submit --config` gives the payload. Before the command's name, and with every other command,
 * `--config` names the settings: so that both can be said, the one behind `submit` gets its other name.
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

interface OneJob {
  jobId: string;
}

const jobId = () => new Option('--job-id <id>', 'what submit returned').makeOptionMandatory();

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

const examples = `
Examples:
  ${commandName} submit --type ml_experiment --config '{"model": "linear", "dataset": "iris", "epochs": 10}'
  ${commandName} submit --type backtest --config backtest.json --metadata '{"user": "quant"}' --plot --wait
  ${commandName} submit --type generic --config '{}' --depends-on 3f2c9a1e-... --run-at 2026-12-01T09:00:00Z

Behind \`submit\` --config is the payload; before it, as with every other command, it names the settings.
`;
