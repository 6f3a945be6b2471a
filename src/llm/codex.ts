import { z } from 'zod';
import { type ModelAnswer, ModelError, type ModelRequest, type ModelUsage, type Provider } from '../core/ports.js';
import { type Cli, type CliRun, createCli, isInstalled, noResult, openCli, type ReadAnswer } from './cli.js';
import { cliFailure, count, type Fields, fieldsOf, readLines, textOf } from './cli-output.js';
import { redactedDetail } from './failure.js';
import type { ProviderDeclaration } from './provider.js';

const section = z.strictObject({
  /** Name on PATH, or absolute path; `codex` unless given. */
  command: z.string().optional(),
  model: z.string().optional(),
  /** Names of more variables that it gets. */
  passEnv: z.array(z.string()).optional(),
  /** What its commands may do: `read-only` unless given. */
  sandbox: z.enum(['read-only', 'workspace-write', 'danger-full-access']).optional(),
  /** Whether it reads its own config file, whose MCP servers run outside of the sandbox; not unless true. */
  userConfig: z.boolean().optional(),
  /** Its working directory; the user's home unless given. */
  workingDirectory: z.string().optional(),
  /** Directories that a call may name as its own, with all in them; it may also name the caller's project. */
  workingDirectories: z.array(z.string()).optional(),
});

type Settings = z.output<typeof section>;

/** `codex exec --json`: it asks nobody, so what its sandbox does not allow is refused. */
const cli: Cli<Settings> = {
  id: 'codex',
  label: 'Codex',
  command: 'codex',
  setUp: 'Install it and log in with `codex login`.',
  args: writeArgs,
  read: readCodexResult,
  login: ['CODEX_HOME', 'CODEX_API_KEY'],
  dropped: ['max_tokens', 'temperature', 'top_p', 'top_k', 'stop_sequences', 'num_ctx'],
  isGone: /no rollout found/i,
  uselessPlace: ({ sandbox = 'read-only' }) =>
    sandbox === 'read-only'
      ? 'Codex may only read files: set providers.codex.sandbox to workspace-write to let it change them.'
      : undefined,
};

/** The user's own Codex, on the user's own login. */
export const codex: ProviderDeclaration<Settings> = {
  id: cli.id,
  label: cli.label,
  settings: section,
  environment: {},
  defaultModel: '',
  modelStrings: 'codex or codex:ID',
  servesModelsOf: 'openai',
  setUp: cli.setUp,
  isConfigured: (settings, context) => isInstalled(cli, settings, context),
  create: (settings, context) => openCli(cli, settings, context),
  passedOn: ({ passEnv = [] }) => passEnv,
};

export const createCodex = (settings: Settings & CliRun): Provider => createCli(cli, settings);

function writeArgs({ sandbox = 'read-only', userConfig }: Settings, { model, session }: ModelRequest): string[] {
  const args = ['exec', '--json', '--skip-git-repo-check', '-s', sandbox];
  if (!userConfig) args.push('--ignore-user-config');
  if (!session?.isKept) args.push('--ephemeral');
  if (model) args.push('-m', model);
  // A fork, so that a conversation can be continued more than once.
  if (session?.resume !== undefined) args.push('fork', threadOf(session.resume).id);
  return [...args, '-'];
}

/**
 * Reads its events, one a line: `turn.completed` is the only sign of success, as an item of type `error` may be a mere
 * warning. The shapes were recorded from Codex 0.169.0.
 */
function readCodexResult(...[end, request, secrets]: Parameters<ReadAnswer>): ModelAnswer {
  const who = { label: 'Codex', model: request.model, login: 'Run `codex login`.' };
  const events = readLines(end.stdout);
  const failed = events.find(({ type }) => type === 'turn.failed');
  if (failed) throw cliFailure(who, textOf(fieldsOf(failed.error).message), { secrets });
  const completed = events.findLast(({ type }) => type === 'turn.completed');
  if (!completed || end.exitCode !== 0) {
    const words = textOf(events.findLast(({ type }) => type === 'error')?.message);
    if (words !== '') throw cliFailure(who, words, { secrets });
    throw noResult('Codex', end, redactedDetail(end.stderr || end.stdout, secrets), 'codex exec hello');
  }
  const total = totalOf(fieldsOf(completed.usage));
  const before = request.session?.resume === undefined ? nothing : threadOf(request.session.resume).total;
  const items = events.filter(({ type }) => type === 'item.completed').map(({ item }) => fieldsOf(item));
  const messages = items.filter(({ type }) => type === 'agent_message');
  if (messages.length === 0) {
    const message = 'Codex ended its turn without an answer. Try again, or update Codex.';
    throw new ModelError('invalid_output', message, { usage: usageOf(total, before) });
  }
  const thread = textOf(events.find(({ type }) => type === 'thread.started')?.thread_id);
  return {
    text: textOf(messages.at(-1)?.text),
    model: request.model,
    stopReason: 'end_turn',
    usage: usageOf(total, before),
    warnings: items.filter(({ type }) => type === 'error').map(({ message }) => `Codex: ${textOf(message)}`),
    ...(request.session?.isKept && thread !== '' ? { sessionId: sessionOf(thread, total) } : {}),
  };
}

/** Tokens of a whole thread, which is what Codex reports: a fork begins with those of the thread that it goes on with. */
interface Total {
  input: number;
  cached: number;
  output: number;
}

const nothing: Total = { input: 0, cached: 0, output: 0 };

const totalOf = (usage: Fields): Total => ({
  input: count(usage.input_tokens),
  cached: count(usage.cached_input_tokens),
  output: count(usage.output_tokens),
});

/** The session's id is that of the thread with its tokens so far: `THREAD/INPUT-CACHED-OUTPUT`. */
const sessionOf = (thread: string, { input, cached, output }: Total): string =>
  `${thread}/${input}-${cached}-${output}`;

function threadOf(session: string): { id: string; total: Total | undefined } {
  const [id = '', figures = ''] = session.split('/');
  const [input, cached, output] = figures.split('-').map(Number);
  const isKnown = input !== undefined && cached !== undefined && output !== undefined;
  return { id, total: isKnown ? { input, cached, output } : undefined };
}

function usageOf(total: Total, before: Total | undefined): ModelUsage {
  if (!before) return { inputTokens: 0, outputTokens: 0, isUnknown: true };
  const cached = Math.max(0, total.cached - before.cached);
  return {
    inputTokens: Math.max(0, total.input - before.input),
    outputTokens: Math.max(0, total.output - before.output),
    ...(cached > 0 ? { cacheReadTokens: cached } : {}),
  };
}
