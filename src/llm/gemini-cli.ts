import { z } from 'zod';
import { type ModelAnswer, ModelError, type ModelRequest, type ModelUsage, type Provider } from '../core/ports.js';
import { type Cli, type CliRun, createCli, isInstalled, noResult, openCli, type ReadAnswer } from './cli.js';
import { cliFailure, count, fieldsOf, readObject, textOf } from './cli-output.js';
import { redactedDetail } from './failure.js';
import type { ProviderDeclaration } from './provider.js';

const section = z.strictObject({
  /** Name on PATH, or absolute path; `gemini` unless given. */
  command: z.string().optional(),
  model: z.string().optional(),
  /** Names of more variables that it gets, such as GEMINI_API_KEY or GOOGLE_CLOUD_PROJECT. */
  passEnv: z.array(z.string()).optional(),
  /** Which of its tools run without consent, of which there is none: `default`, which only reads, unless given. */
  approvalMode: z.enum(['default', 'auto_edit', 'yolo', 'plan']).optional(),
  /** Its working directory; the user's home unless given. */
  workingDirectory: z.string().optional(),
  /** Directories that a call may name as its own, with all in them; it may also name the caller's project. */
  workingDirectories: z.array(z.string()).optional(),
});

type Settings = z.output<typeof section>;

/**
 * `gemini -o json`, without extensions and MCP servers. Its own sessions can only be resumed, not forked, so that two
 * continuations of a conversation would mix: it is told the conversation as text.
 */
const cli: Cli<Settings> = {
  id: 'gemini-cli',
  label: 'Gemini CLI',
  command: 'gemini',
  setUp: 'Install it and log in with `gemini`.',
  args: writeArgs,
  read: readGeminiResult,
  login: ['GEMINI_CLI_HOME'],
  dropped: ['max_tokens', 'temperature', 'top_p', 'top_k', 'stop_sequences', 'num_ctx'],
  uselessPlace: ({ approvalMode = 'default' }) =>
    approvalMode === 'default' || approvalMode === 'plan'
      ? 'Gemini CLI may only read files: set providers.gemini-cli.approvalMode to auto_edit to let it change them.'
      : undefined,
};

/** The user's own Gemini CLI, on the user's own login. */
export const geminiCli: ProviderDeclaration<Settings> = {
  id: cli.id,
  label: cli.label,
  settings: section,
  environment: {},
  defaultModel: '',
  modelStrings: 'gemini-cli or gemini-cli:ID',
  servesModelsOf: 'google',
  setUp: cli.setUp,
  isConfigured: (settings, context) => isInstalled(cli, settings, context),
  create: (settings, context) => openCli(cli, settings, context),
  passedOn: ({ passEnv = [] }) => passEnv,
};

export const createGeminiCli = (settings: Settings & CliRun): Provider => createCli(cli, settings);

function writeArgs({ approvalMode = 'default' }: Settings, { model }: ModelRequest): string[] {
  const alone = ['-e', 'none', '--allowed-mcp-server-names', 'none'];
  return ['-o', 'json', '--skip-trust', ...alone, '--approval-mode', approvalMode, ...(model ? ['-m', model] : [])];
}

/** Exit codes of its own; any other is the HTTP status of its vendor modulo 256. */
const ownExits = new Map([
  [41, 401],
  [42, 400],
]);

/**
 * Reads its one object. An error is one too, at the end of stderr. Ended by a signal it exits with 0 and prints nothing.
 * The shapes were recorded from Gemini CLI 0.61.0.
 */
function readGeminiResult(...[end, request, secrets]: Parameters<ReadAnswer>): ModelAnswer {
  const result = readObject(end.stdout) ?? lastObject(end.stderr);
  const words = redactedDetail(end.stderr || end.stdout, secrets);
  if (result?.error !== undefined) {
    const { message, code } = fieldsOf(result.error);
    const status = typeof code === 'number' && code >= 400 ? code : ownExits.get(end.exitCode ?? 0);
    const who = {
      label: 'Gemini CLI',
      model: request.model,
      login: 'Run `gemini` and log in, or pass on a key in passEnv.',
    };
    throw cliFailure(who, textOf(message), { status, secrets });
  }
  if (!result || end.exitCode !== 0) throw noResult('Gemini CLI', end, words, 'gemini -p hello');
  const { model = request.model, usage } = readStats(fieldsOf(fieldsOf(result.stats).models));
  if (typeof result.response !== 'string') {
    const message = 'Gemini CLI ended well but gave no answer in its result. Try again, or update Gemini CLI.';
    throw new ModelError('invalid_output', message, { usage });
  }
  return { text: result.response, model, stopReason: 'end_turn', usage, warnings: [] };
}

/** What stands before it is the stack of the error. */
function lastObject(stderr: string) {
  const start = stderr.lastIndexOf('\n{');
  return readObject(stderr.slice(start + 1));
}

/** The tokens of all its models, and the one that has written most: it also uses small ones for minor work. */
function readStats(models: Record<string, unknown>): { model: string | undefined; usage: ModelUsage } {
  const used = Object.entries(models).map(([model, stats]) => {
    const tokens = fieldsOf(fieldsOf(stats).tokens);
    const written = count(tokens.candidates) + count(tokens.thoughts);
    return { model, written, read: count(tokens.prompt), cached: count(tokens.cached) };
  });
  const sum = (figure: (one: (typeof used)[number]) => number) => used.reduce((all, one) => all + figure(one), 0);
  const cacheReadTokens = sum(({ cached }) => cached);
  return {
    model: used.sort((one, other) => other.written - one.written)[0]?.model,
    usage: {
      inputTokens: sum(({ read }) => read),
      outputTokens: sum(({ written }) => written),
      ...(cacheReadTokens > 0 ? { cacheReadTokens } : {}),
      ...(used.length === 0 ? { isUnknown: true } : {}),
    },
  };
}
