import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { z } from 'zod';
import { findCommand, ordinaryVariables, pickVariables, runnerMark } from '../base/child-environment.js';
import { type ChildEnd, runChild } from '../base/child-process.js';
import { messageOf, RuntimeError } from '../base/errors.js';
import { systemCode } from '../base/network-error.js';
import type { Environment } from '../base/settings.js';
import { type ModelAnswer, ModelError, type ModelRequest, type Provider } from '../core/ports.js';
import { endlessAnswer } from './answer-limit.js';
import { cancelledCall, droppedParams } from './call.js';
import { readClaudeCodeResult } from './claude-code-result.js';
import { redactedDetail } from './failure.js';
import { type ProviderDeclaration, settingsOf } from './provider.js';

const section = z.strictObject({
  /** Name on PATH, or absolute path; `claude` unless given. */
  command: z.string().optional(),
  model: z.string().optional(),
  /** Names of more variables that it gets, such as those that Bedrock or a gateway needs. */
  passEnv: z.array(z.string()).optional(),
  /** Tools it may use without asking, `Read` or `Bash(git log *)`. Without any it answers with text and touches nothing. */
  allowedTools: z.array(z.string()).optional(),
  /** Its working directory; the user's home unless given, where others cannot leave instructions or hooks. */
  workingDirectory: z.string().optional(),
  /** Directories that a call may name as its own, with all in them; it may also name the caller's project. */
  workingDirectories: z.array(z.string()).optional(),
  /** What one call may cost, in US dollars. */
  maxBudgetUsd: z.number().positive().optional(),
});

type Settings = z.output<typeof section>;

/** The user's own Claude Code, on the user's own login. */
export const claudeCode: ProviderDeclaration<Settings> = {
  id: 'claude-code',
  label: 'Claude Code',
  settings: section,
  environment: {},
  defaultModel: 'sonnet',
  modelStrings: 'claude-code or claude-code:sonnet for your own CLI',
  servesModelsOf: 'anthropic',
  setUp: 'Install Claude Code and log in once with `claude`.',
  isConfigured: (settings, { env, depth }) => depth < 1 && findCommand(commandOf(settings), env) !== undefined,
  create(settings, { env, depth, resolvePath }) {
    const command = findCommand(commandOf(settings), env);
    if (command === undefined) throw notFound(commandOf(settings));
    if (depth >= 1) throw startedByAgent(depth);
    const { workingDirectory, workingDirectories = [] } = settings;
    return createClaudeCode({
      ...settings,
      command,
      workingDirectory: workingDirectory && resolvePath(workingDirectory),
      workingDirectories: workingDirectories.map(resolvePath),
      env,
      depth,
    });
  },
  passedOn: ({ passEnv = [] }) => passEnv,
};

const commandOf = ({ command }: Settings): string => command ?? 'claude';

/** The full path of the user's Claude Code; undefined when it is not installed. Starts no process. */
export function findClaudeCode(config: {
  providers: Readonly<Record<string, unknown>>;
  env: Environment;
}): string | undefined {
  return findCommand(commandOf(settingsOf(claudeCode, config)), config.env);
}

export interface ClaudeCodeRun extends Settings {
  /** The environment to choose from. Only an allowlist of names is passed on, and never an API key. */
  env: Environment;
  /** AGENT_RUNTIME_DEPTH of this process, 0 by default. At 1 or more every call is refused: an agent must not start agents. */
  depth?: number;
  /** How long one call may take; 1,800,000 ms by default, the default of a job. */
  timeoutMs?: number;
  /** How long it has between SIGTERM and SIGKILL; 5,000 ms by default. */
  graceMs?: number;
}

/**
 * Runs one `claude -p` for each call, without MCP servers, without tools unless the settings grant them, and without a
 * stored session unless the call wants one.
 * The answer comes in one piece. Throws `ModelError`s.
 *
 * Never `--bare`: that mode does not read the subscription login. The prompt goes over stdin, because anyone on the
 * machine may read an argument list; the system prompt has no other way in.
 */
export function createClaudeCode(settings: ClaudeCodeRun): Provider {
  const { workingDirectory, workingDirectories = [] } = settings;
  return {
    id: 'claude-code',
    directories: [...(workingDirectory === undefined ? [] : [workingDirectory]), ...workingDirectories],
    limitsCost: { usd: settings.maxBudgetUsd },
    complete: (request) => goOn(settings, request),
  };
}

/**
 * The version of the CLI, such as `2.1.328`, or undefined when it is not there or does not answer within 5 s.
 *
 * @param env the environment to choose from, with PATH
 */
export async function detectClaudeCode(command: string, env: Environment): Promise<string | undefined> {
  try {
    const end = await runChild({
      command,
      args: ['--version'],
      env: childEnv({ env }),
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

/** It takes no `max_tokens`, and with `verbose` in the user's settings it prints all messages, what tools returned among them. */
const longestOutputBytes = 32_000_000;

/** Goes on with a session of its own. One that is gone, or that belongs to another directory, is told as text instead. */
async function goOn(settings: ClaudeCodeRun, request: ModelRequest): Promise<ModelAnswer> {
  if (request.session?.resume === undefined) return converse(settings, withHistory(request));
  try {
    return await converse(settings, request);
  } catch (error) {
    if (!(error instanceof ModelError) || !/no conversation found/i.test(error.detail ?? '')) throw error;
    const session = { ...request.session, resume: undefined };
    const answer = await converse(settings, withHistory({ ...request, session }));
    const warning = 'The session of Claude Code was gone, so it was given the conversation as text.';
    return { ...answer, warnings: [...answer.warnings, warning] };
  }
}

/** The prompt with all that was said before it, for a program that takes one text. */
function withHistory({ history = [], prompt, ...request }: ModelRequest): ModelRequest {
  if (history.length === 0) return { ...request, prompt };
  const said = history.flatMap((exchange) => [`User:\n${exchange.prompt}`, `You:\n${exchange.answer}`]);
  return { ...request, prompt: ['This conversation goes on.', ...said, `User:\n${prompt}`].join('\n\n') };
}

async function converse(settings: ClaudeCodeRun, request: ModelRequest): Promise<ModelAnswer> {
  if ((settings.depth ?? 0) >= 1) throw tooDeep();
  if (request.signal.aborted) throw cancelledCall('Claude Code', undefined);
  const timeoutMs = settings.timeoutMs ?? defaultTimeoutMs;
  const end = await start(settings, request, timeoutMs);
  if (end.reason === 'cancelled') throw cancelledCall('Claude Code', undefined);
  if (end.reason === 'timeout') {
    const message = `Claude Code took longer than ${timeoutMs / 1000} s and was ended. Ask for less, or raise its timeout.`;
    throw new ModelError('timeout', message, { detail: redactedDetail(end.stderr, secretsOf(settings)) });
  }
  if (end.reason === 'cut') throw endlessAnswer('Claude Code', request.model, longestOutputBytes);
  const answer = readClaudeCodeResult(end, request, secretsOf(settings));
  if (answer.text) request.onText(answer.text);
  const unused = ['max_tokens', 'temperature', 'top_p', 'top_k', 'stop_sequences', 'num_ctx'] as const;
  const dropped = droppedParams('Claude Code', request.params, [...unused]);
  return { ...answer, warnings: [...dropped, ...uselessPlace(settings, request), ...answer.warnings] };
}

function uselessPlace({ allowedTools = [] }: ClaudeCodeRun, { workingDirectory }: ModelRequest): string[] {
  if (workingDirectory === undefined || allowedTools.length > 0) return [];
  return [
    'Claude Code has no tools, so it could neither read nor change files: grant some in providers.claude-code.allowedTools.',
  ];
}

async function start(settings: ClaudeCodeRun, request: ModelRequest, timeoutMs: number): Promise<ChildEnd> {
  const command = settings.command ?? 'claude';
  const cwd = request.workingDirectory ?? settings.workingDirectory ?? homedir();
  try {
    return await runChild({
      command,
      args: writeArgs(settings, request),
      env: childEnv(settings),
      cwd,
      input: request.prompt,
      signal: request.signal,
      timeoutMs,
      graceMs: settings.graceMs ?? defaultGraceMs,
      stdoutLimit: longestOutputBytes,
      endsWhenCut: true,
    });
  } catch (error) {
    throw cannotStart(error, command, cwd);
  }
}

function writeArgs(settings: ClaudeCodeRun, { model, system, session, params, maxCostUsd }: ModelRequest): string[] {
  const { allowedTools = [] } = settings;
  const limits = [settings.maxBudgetUsd, maxCostUsd].filter((usd) => usd !== undefined);
  const maxBudgetUsd = limits.length > 0 ? Math.min(...limits) : undefined;
  // `--tools` says which tools exist, by bare name. `--allowedTools` says which uses of them need no consent.
  const toolNames = [...new Set(allowedTools.map((tool) => tool.replace(/\(.*$/, '')))];
  const args = ['-p', '--output-format', 'json'];
  if (model) args.push('--model', model);
  args.push('--strict-mcp-config', '--tools', toolNames.join(','));
  if (allowedTools.length > 0) args.push('--allowedTools', allowedTools.join(','));
  // A fork, so that a conversation can be continued more than once.
  if (session?.resume !== undefined) args.push('--resume', session.resume, '--fork-session');
  if (!session?.isKept) args.push('--no-session-persistence');
  args.push('--permission-mode', 'dontAsk');
  if (system) args.push('--system-prompt', system);
  if (maxBudgetUsd !== undefined) args.push('--max-budget-usd', String(maxBudgetUsd));
  if (params.json_schema) {
    // With a `$schema` at its top the CLI silently ignores the schema (seen in 2.1.198).
    const { $schema: _, ...schema } = params.json_schema;
    args.push('--json-schema', JSON.stringify(schema));
  }
  return args;
}

/** What any program of the user needs, and the login of Claude Code. Keys of others are not passed on. */
const passedOn = [
  ...ordinaryVariables,
  ...['CLAUDE_CODE_OAUTH_TOKEN', 'CLAUDE_CODE_GIT_BASH_PATH'],
  // By this a process is found when its runner is gone.
  runnerMark,
];

function childEnv({ env, passEnv = [], depth = 0 }: ClaudeCodeRun): Record<string, string> {
  return {
    ...pickVariables(env, [...passedOn, ...passEnv]),
    AGENT_RUNTIME_DEPTH: String(depth + 1),
    // On a refused login the CLI otherwise retries for over a minute; retries belong to the job runner.
    CLAUDE_CODE_MAX_RETRIES: '1',
  };
}

/** Values the CLI may repeat in its errors. */
function secretsOf({ env, passEnv = [] }: ClaudeCodeRun): (string | undefined)[] {
  const names = passEnv.filter((name) => /KEY|TOKEN|SECRET|PASSWORD/i.test(name));
  return ['CLAUDE_CODE_OAUTH_TOKEN', ...names].map((name) => env[name]);
}

function notFound(command: string): RuntimeError {
  return new RuntimeError(
    'not_configured',
    `Claude Code was not found as ${command}.`,
    'Install it and log in once with `claude`, or set the full path of its command.',
  );
}

function startedByAgent(depth: number): RuntimeError {
  return new RuntimeError(
    'not_configured',
    `This runtime was itself started by an agent (AGENT_RUNTIME_DEPTH is ${depth}), so it starts none.`,
    'Use another model here.',
  );
}

function tooDeep(): ModelError {
  const message =
    'Claude Code is not started from within a Claude Code that this runtime started (AGENT_RUNTIME_DEPTH). ' +
    'Use another model here.';
  return new ModelError('not_configured', message);
}

function cannotStart(error: unknown, command: string, cwd: string): ModelError {
  const code = systemCode(error);
  switch (code) {
    case 'ENOENT':
      // The same code stands for a missing working directory.
      return existsSync(cwd)
        ? new ModelError('not_configured', `There is no command ${command}. Install Claude Code, or set its full path.`)
        : new ModelError('not_configured', `The working directory ${cwd} does not exist. Create it, or set another.`);
    case 'EACCES':
      return new ModelError('not_configured', `${command} may not be executed (EACCES). Set the path of Claude Code.`);
    case 'E2BIG':
      return new ModelError('invalid_request', 'The system prompt or the JSON schema is too long for Claude Code.');
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
