import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf, RuntimeError } from '../../base/errors.js';
import type { Json, JsonObject } from '../../base/json.js';
import { parseInput } from '../../tools/call/parse-input.js';
import { submittedOutput } from '../../tools/jobs.js';
import type { GlobalFlags } from '../global-flags.js';
import type { Output } from '../output.js';
import { readInput } from '../tool/read-input.js';
import { withCaller } from '../tool/with-caller.js';
import { settingOf } from '../with-runtime.js';
import { jobTool } from './job-tool.js';
import { waitForEnd } from './wait.js';

/** The options of `submit`, as they were typed. */
export interface SubmitOptions {
  type: string;
  payload: string;
  metadata?: string;
  priority?: string;
  dependsOn?: string[];
  runAt?: string;
  maxAttempts?: string;
  timeout?: string;
  idempotencyKey?: string;
  wait?: boolean;
  plot?: boolean;
}

/** Submits a job, and waits for its end when told to. Nothing is opened before the options are known to be good. */
export async function runSubmit(options: SubmitOptions, flags: GlobalFlags, output: Output): Promise<void> {
  const setting = settingOf(flags);
  const tool = jobTool('submit_job', setting.config);
  const payload = await readPayload(options);
  const metadata = options.metadata === undefined ? undefined : await readJsonObject('--metadata', options.metadata);
  const given = await readInput(tool, { pairs: pairsOf(options) });
  const input = parseInput(tool, { ...given, type: options.type, payload, metadata });

  await withCaller(
    setting,
    flags,
    output,
    async (caller) => {
      const job = submittedOutput.parse(await caller.call(tool, input));
      if (!flags.isJson) output.print(`Job submitted successfully: ${job.job_id}`);
      else if (!options.wait) output.printJson(job);
      if (job.repeated && !flags.isQuiet) output.say('It is the job that was submitted with this key before.');
      if (options.wait) await waitForEnd(job.job_id, caller, flags, output);
    },
    { isAnnounced: options.wait !== true },
  );
}

async function readPayload({ type, payload: given, plot }: SubmitOptions): Promise<JsonObject> {
  const payload = await readJsonObject('--config', given);
  if (!plot) return payload;
  if (type === 'backtest') return { ...payload, plot: true };
  throw new RuntimeError('invalid', `Jobs of type ${type} draw no plot.`, '--plot is for --type backtest.');
}

/** What is not text, for the tool's own schema to read. */
function pairsOf(options: SubmitOptions): string[] {
  const { priority, dependsOn = [], runAt, maxAttempts, timeout, idempotencyKey } = options;
  const named: [name: string, value: string | undefined][] = [
    ['priority', priority],
    ...dependsOn.map((id): [string, string] => ['depends_on', id]),
    ['run_at', runAt],
    ['max_attempts', maxAttempts],
    ['timeout_seconds', timeout],
    ['idempotency_key', idempotencyKey],
  ];
  return named.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
}

/**
 * The JSON object that an option gives, in itself or in a file. Throws `invalid`, with line and column where it is no
 * JSON, and `not_found` for a file that does not exist.
 */
export async function readJsonObject(option: string, given: string): Promise<JsonObject> {
  const isText = /^\s*[{["]/.test(given);
  const text = isText ? given : readFile(option, given);
  const value = await parse(text, isText ? option : resolve(given));
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  const kind = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
  throw new RuntimeError(
    'invalid',
    `${option} is JSON, but ${kind} and no object.`,
    `Give it as {"name": value, ...}.`,
  );
}

function readFile(option: string, given: string): string {
  const path = resolve(given);
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new RuntimeError(
      isMissing ? 'not_found' : 'invalid',
      isMissing
        ? `${option} names no file: ${path} does not exist.`
        : `${option}: ${path} cannot be read: ${messageOf(cause)}.`,
      `Give the path of a JSON file, or the object itself, such as ${option} '{"name": "value"}'.`,
      { cause },
    );
  }
}

async function parse(text: string, source: string): Promise<Json> {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RuntimeError(
      'invalid',
      `${source} is not JSON: ${await locate(text, messageOf(cause))}`,
      'Mend it and repeat; nothing was submitted.',
      { cause },
    );
  }
}

/** Node says where a text stops being JSON in some versions only, and of some mistakes only. */
async function locate(text: string, message: string): Promise<string> {
  const momoa = await import('@humanwhocodes/momoa');
  try {
    momoa.parse(text, { mode: 'json' });
    return `${message}.`;
  } catch (error) {
    if (!(error instanceof Error && 'line' in error && 'column' in error)) return `${message}.`;
    return `line ${error.line}, column ${error.column}: ${error.message.replace(/ \(\d+:\d+\)$/, '')}`;
  }
}
