import { RuntimeError } from '../../base/errors.js';
import type { JsonObject } from '../../base/json.js';
import { parseInput } from '../../tools/call/parse-input.js';
import { submittedJobsOutput } from '../../tools/shapes/comparison.js';
import { submittedOutput } from '../../tools/shapes/job.js';
import type { CommandContext } from '../define-command.js';
import { commandName } from '../launch.js';
import { readJsonObject } from '../read-json-object.js';
import { readInput } from '../tool/read-input.js';
import { type Caller, withCaller } from '../tool/with-caller.js';
import { settingOf } from '../with-runtime.js';
import { callFor, jobTool } from './job-tool.js';
import { wholeJobId } from './named-job.js';
import { waitForEnd } from './wait.js';

/** The options of `submit`, as they were typed. */
export interface SubmitOptions {
  type: string;
  payload: string;
  metadata: string | undefined;
  priority: string | undefined;
  dependsOn: string[];
  onDependencyFailure: string | undefined;
  runAt: string | undefined;
  maxAttempts: string | undefined;
  timeout: string | undefined;
  idempotencyKey: string | undefined;
  concurrencyKey: string | undefined;
  concurrencyLimit: string | undefined;
  uniqueKey: string | undefined;
  grid: string | undefined;
  wait: boolean;
  plot: boolean;
}

/** Submits a job, and waits for its end with `wait`. The options are checked before the database is opened. */
export async function runSubmit(options: SubmitOptions, context: CommandContext): Promise<void> {
  const { flags, output } = context;
  const setting = settingOf(flags);
  const tool = jobTool('submit_job', setting.config);
  const payload = readPayload(options);
  const metadata = options.metadata === undefined ? undefined : readJsonObject('--metadata', options.metadata);
  const grid = options.grid === undefined ? undefined : readJsonObject('--grid', options.grid);
  if (grid !== undefined && options.wait) {
    throw new RuntimeError('invalid', '--wait waits for one job, and --grid submits several.', 'Leave out --wait.');
  }
  const given = await readInput(tool, { pairs: pairsOf(options) });
  const input = parseInput(tool, { ...given, type: options.type, payload, metadata });

  await withCaller(
    setting,
    flags,
    output,
    async (caller) => {
      const dependsOn: string[] = [];
      for (const id of options.dependsOn) dependsOn.push(await wholeJobId(caller.runtime, id));
      const whole = dependsOn.length === 0 ? input : { ...input, depends_on: dependsOn };
      if (grid !== undefined) return submitSweep(whole, grid, caller, context);
      const job = submittedOutput.parse(await caller.call(tool, whole));
      if (!flags.isJson) output.print(`Job submitted successfully: ${job.job_id}`);
      else if (!options.wait) output.printJson(job);
      if (job.repeated && !flags.isQuiet) output.say('This is the job that was submitted with this key before.');
      if (options.wait) await waitForEnd(job.job_id, caller, context);
    },
    { isAnnounced: !options.wait },
  );
}

/** Submits the job once for every combination of the grid. */
async function submitSweep(
  job: Record<string, unknown>,
  grid: JsonObject,
  caller: Caller,
  { flags, output }: CommandContext,
): Promise<void> {
  const submitted = await callFor(caller, 'submit_jobs', { jobs: [job], grid }, submittedJobsOutput);
  if (flags.isJson) {
    output.printJson(submitted);
    return;
  }
  output.print(`${submitted.count} jobs submitted: ${submitted.sweep}`);
  if (!flags.isQuiet) output.say(`${commandName} compare ${submitted.sweep}`);
}

function readPayload({ type, payload: given, plot }: SubmitOptions): JsonObject {
  const payload = readJsonObject('--config', given);
  if (!plot) return payload;
  if (type === 'backtest') return { ...payload, plot: true };
  throw new RuntimeError('invalid', `Jobs of type ${type} do not draw a plot.`, '--plot is for --type backtest.');
}

/** The options whose texts the tool's schema converts. */
function pairsOf(options: SubmitOptions): string[] {
  const { priority, dependsOn, onDependencyFailure, runAt, maxAttempts, timeout, idempotencyKey } = options;
  const named: [name: string, value: string | undefined][] = [
    ['priority', priority],
    ...dependsOn.map((id): [string, string] => ['depends_on', id]),
    ['on_dependency_failure', onDependencyFailure],
    ['run_at', runAt],
    ['max_attempts', maxAttempts],
    ['timeout_seconds', timeout],
    ['idempotency_key', idempotencyKey],
    ['concurrency_key', options.concurrencyKey],
    ['concurrency_limit', options.concurrencyLimit],
    ['unique_key', options.uniqueKey],
  ];
  return named.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
}
