import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { findCommand, ordinaryVariables, pickVariables, runnerMark } from '../base/child-environment.js';
import { type ChildEnd, runChild } from '../base/child-process.js';
import { messageOf, RuntimeError } from '../base/errors.js';
import { systemCode } from '../base/network-error.js';
import type { Environment } from '../base/settings.js';
import { type ModelAnswer, ModelError, type ModelParams, type ModelRequest, type Provider } from '../core/ports.js';
import { endlessAnswer } from './answer-limit.js';
import { cancelledCall, droppedParams } from './call.js';
import { redactedDetail } from './failure.js';
import type { ProviderContext } from './provider.js';

/** What the config file may say of any CLI. */
export interface CliSettings {
  command?: string | undefined;
  model?: string | undefined;
  passEnv?: string[] | undefined;
  workingDirectory?: string | undefined;
  workingDirectories?: string[] | undefined;
}

/** Reads what a CLI has printed. Throws `ModelError` for all that is no answer. */
export type ReadAnswer = (
  end: ChildEnd,
  request: ModelRequest,
  secrets: readonly (string | undefined)[],
) => ModelAnswer;

/** One of the user's own agents on the command line: how it is called once, without a terminal. */
export interface Cli<Settings extends CliSettings> {
  id: string;
  label: string;
  /** Its usual name on PATH. */
  command: string;
  /** What to do to have it. */
  setUp: string;
  /** Its arguments; the prompt comes over stdin, because anyone on the machine may read an argument list. */
  args(settings: Settings, request: ModelRequest): string[];
  read: ReadAnswer;
  /** Variables of its login that it gets, beside the ordinary ones. Keys of others are not passed on. */
  login: readonly string[];
  /** Variables that it gets with these values. */
  env?(settings: Settings): Record<string, string>;
  /** Parameters that it does not take. */
  dropped: readonly (keyof ModelParams)[];
  /** It takes a system prompt and a JSON schema among its arguments; others are told of both in the prompt. */
  takesInstructions?: boolean;
  /** Whether the session to go on with is not there any more, by the words of its error. */
  isGone?: RegExp;
  /** Why it could do nothing with the files of a working directory, if that is so. */
  uselessPlace?(settings: Settings): string | undefined;
  limitsCost?(settings: Settings): Provider['limitsCost'];
}

/** How it is run, beside its own settings. */
export interface CliRun {
  /** The environment to choose from. Only an allowlist of names is passed on, and never an API key. */
  env: Environment;
  /** AGENT_RUNTIME_DEPTH of this process, 0 by default. At 1 or more every call is refused: an agent must not start agents. */
  depth?: number;
  /** How long one call may take; 1,800,000 ms by default, the default of a job. */
  timeoutMs?: number;
  /** How long it has between SIGTERM and SIGKILL; 5,000 ms by default. */
  graceMs?: number;
}

/** Whether it is there and may be started. */
export function isInstalled<Settings extends CliSettings>(
  cli: Cli<Settings>,
  settings: Settings,
  { env, depth }: ProviderContext,
): boolean {
  return depth < 1 && findCommand(settings.command ?? cli.command, env) !== undefined;
}

/** The provider of a CLI by its settings. Throws `not_configured` when it is not there, and within an agent. */
export function openCli<Settings extends CliSettings>(
  cli: Cli<Settings>,
  settings: Settings,
  { env, depth, resolvePath }: ProviderContext,
): Provider {
  const name = settings.command ?? cli.command;
  const command = findCommand(name, env);
  if (command === undefined) {
    const message = `${cli.label} was not found as ${name}.`;
    throw new RuntimeError('not_configured', message, `${cli.setUp} Or set the full path of its command.`);
  }
  if (depth >= 1) {
    const message = `This runtime was itself started by an agent (AGENT_RUNTIME_DEPTH is ${depth}), so it starts none.`;
    throw new RuntimeError('not_configured', message, 'Use another model here.');
  }
  const { workingDirectory, workingDirectories = [] } = settings;
  return createCli(cli, {
    ...settings,
    command,
    workingDirectory: workingDirectory && resolvePath(workingDirectory),
    workingDirectories: workingDirectories.map(resolvePath),
    env,
    depth,
  });
}

/** Runs it once for each call, in a process group of its own. The answer comes in one piece. Throws `ModelError`s. */
export function createCli<Settings extends CliSettings>(cli: Cli<Settings>, settings: Settings & CliRun): Provider {
  const { workingDirectory, workingDirectories = [] } = settings;
  const limitsCost = cli.limitsCost?.(settings);
  return {
    id: cli.id,
    directories: [...(workingDirectory === undefined ? [] : [workingDirectory]), ...workingDirectories],
    ...(limitsCost ? { limitsCost } : {}),
    complete: (request) => goOn(cli, settings, request),
  };
}

/** The version of a CLI, such as `2.1.328`, or undefined when it is not there or does not answer within 5 s. */
export async function detectVersion(
  cli: Pick<Cli<CliSettings>, 'login'>,
  command: string,
  env: Environment,
): Promise<string | undefined> {
  try {
    const end = await runChild({
      command,
      args: ['--version'],
      env: childEnv(cli, { env }),
      cwd: homedir(),
      input: '',
      signal: new AbortController().signal,
      timeoutMs: 5000,
      graceMs: 500,
      stdoutLimit: 10_000,
      endsWhenCut: true,
    });
    return end.exitCode === 0 ? /\d+\.\d+\.\d+\S*/.exec(end.stdout)?.[0] : undefined;
  } catch {
    return undefined;
  }
}

const defaultTimeoutMs = 1_800_000;
const defaultGraceMs = 5000;

/** A CLI takes no `max_tokens`, and prints what its tools returned among its messages. */
const longestOutputBytes = 32_000_000;

/** Goes on with a session of its own. One that is gone, or that belongs to another directory, is told as text instead. */
async function goOn<Settings extends CliSettings>(
  cli: Cli<Settings>,
  settings: Settings & CliRun,
  request: ModelRequest,
): Promise<ModelAnswer> {
  const told = () => converse(cli, settings, withHistory({ ...request, session: withoutResume(request) }));
  if (request.session?.resume === undefined || !cli.isGone) return told();
  try {
    return await converse(cli, settings, request);
  } catch (error) {
    if (!(error instanceof ModelError) || !cli.isGone.test(error.detail ?? '')) throw error;
    const answer = await told();
    const warning = `The session of ${cli.label} was gone, so it was given the conversation as text.`;
    return { ...answer, warnings: [...answer.warnings, warning] };
  }
}

const withoutResume = ({ session }: ModelRequest) => session && { ...session, resume: undefined };

/** The prompt with all that was said before it, for a program that takes one text. */
function withHistory({ history = [], prompt, ...request }: ModelRequest): ModelRequest {
  if (history.length === 0) return { ...request, prompt };
  const said = history.flatMap((exchange) => [`User:\n${exchange.prompt}`, `You:\n${exchange.answer}`]);
  return { ...request, prompt: ['This conversation goes on.', ...said, `User:\n${prompt}`].join('\n\n') };
}

async function converse<Settings extends CliSettings>(
  cli: Cli<Settings>,
  settings: Settings & CliRun,
  request: ModelRequest,
): Promise<ModelAnswer> {
  const { label } = cli;
  if ((settings.depth ?? 0) >= 1) throw tooDeep(label);
  if (request.signal.aborted) throw cancelledCall(label, undefined);
  const timeoutMs = settings.timeoutMs ?? defaultTimeoutMs;
  const secrets = secretsOf(cli, settings);
  const end = await start(cli, settings, request, timeoutMs);
  if (end.reason === 'cancelled') throw cancelledCall(label, undefined);
  if (end.reason === 'timeout') {
    const message = `${label} took longer than ${timeoutMs / 1000} s and was ended. Ask for less, or raise its timeout.`;
    throw new ModelError('timeout', message, { detail: redactedDetail(end.stderr, secrets) });
  }
  if (end.reason === 'cut') throw endlessAnswer(label, request.model, longestOutputBytes);
  const answer = cli.read(end, request, secrets);
  if (answer.text) request.onText(answer.text);
  const dropped = droppedParams(label, request.params, [...cli.dropped]);
  const place = request.workingDirectory === undefined ? undefined : cli.uselessPlace?.(settings);
  return { ...answer, warnings: [...dropped, ...(place === undefined ? [] : [place]), ...answer.warnings] };
}

async function start<Settings extends CliSettings>(
  cli: Cli<Settings>,
  settings: Settings & CliRun,
  request: ModelRequest,
  timeoutMs: number,
): Promise<ChildEnd> {
  const command = settings.command ?? cli.command;
  const cwd = request.workingDirectory ?? settings.workingDirectory ?? homedir();
  try {
    return await runChild({
      command,
      args: cli.args(settings, request),
      env: { ...childEnv(cli, settings), ...cli.env?.(settings) },
      cwd,
      input: cli.takesInstructions ? request.prompt : withInstructions(request),
      signal: request.signal,
      timeoutMs,
      graceMs: settings.graceMs ?? defaultGraceMs,
      stdoutLimit: longestOutputBytes,
      endsWhenCut: true,
    });
  } catch (error) {
    throw cannotStart(cli.label, error, command, cwd);
  }
}

function withInstructions({ system, prompt, params: { json_schema: schema } }: ModelRequest): string {
  const inWords = `Answer with JSON alone, which follows this JSON schema:\n${JSON.stringify(schema)}`;
  return [...(system ? [system] : []), prompt, ...(schema ? [inWords] : [])].join('\n\n');
}

/** What any program of the user needs, and the login of the CLI. Keys of others are not passed on. */
function childEnv(
  { login }: Pick<Cli<CliSettings>, 'login'>,
  { env, passEnv = [], depth = 0 }: CliSettings & CliRun,
): Record<string, string> {
  return {
    // By the runner's mark a process is found when its runner is gone.
    ...pickVariables(env, [...ordinaryVariables, ...login, runnerMark, ...passEnv]),
    AGENT_RUNTIME_DEPTH: String(depth + 1),
  };
}

/** Values the CLI may repeat in its errors. */
function secretsOf({ login }: { login: readonly string[] }, { env, passEnv = [] }: CliSettings & CliRun) {
  const isSecret = (name: string) => /KEY|TOKEN|SECRET|PASSWORD/i.test(name);
  return [...login, ...passEnv].filter(isSecret).map((name) => env[name]);
}

function tooDeep(label: string): ModelError {
  const message =
    `${label} is not started from within an agent that this runtime started (AGENT_RUNTIME_DEPTH). ` +
    'Use another model here.';
  return new ModelError('not_configured', message);
}

function cannotStart(label: string, error: unknown, command: string, cwd: string): ModelError {
  const code = systemCode(error);
  switch (code) {
    case 'ENOENT':
      // The same code stands for a missing working directory.
      return existsSync(cwd)
        ? new ModelError('not_configured', `There is no command ${command}. Install ${label}, or set its full path.`)
        : new ModelError('not_configured', `The working directory ${cwd} does not exist. Create it, or set another.`);
    case 'EACCES':
      return new ModelError('not_configured', `${command} may not be executed (EACCES). Set the path of ${label}.`);
    case 'E2BIG':
      return new ModelError('invalid_request', `The system prompt or the JSON schema is too long for ${label}.`);
    case 'EAGAIN':
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOMEM':
      return new ModelError('overloaded', `This machine has no room to start ${command} (${code}). Try again later.`);
    default:
      return new ModelError('not_configured', `${command} cannot be started (${code ?? 'unknown reason'}).`, {
        detail: redactedDetail(messageOf(error)),
      });
  }
}

export const exitWords = (end: ChildEnd): string =>
  end.exitCode === null ? `${end.signalName}` : `exit ${end.exitCode}`;

/** The error for a CLI that ended without an answer in its own form. */
export function noResult(label: string, end: ChildEnd, detail: string | undefined, tryOut: string): ModelError {
  const more = { status: end.exitCode ?? undefined, detail };
  if (end.exitCode === 0) {
    const what = end.stdout.trim() === '' ? 'without any output' : 'with output that is not a result';
    return new ModelError('invalid_output', `${label} ended ${what} (exit 0). Try again.`, more);
  }
  // Killed from outside, for example by the system when memory runs short. The same call may succeed next time.
  if (end.exitCode === null || [130, 137, 143].includes(end.exitCode)) {
    return new ModelError('overloaded', `${label} was ended from outside (${exitWords(end)}). Try again.`, more);
  }
  const message = `${label} failed before it answered (${exitWords(end)}). Run \`${tryOut}\` to see why.`;
  return new ModelError('invalid_request', message, more);
}
