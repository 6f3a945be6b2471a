import { z } from 'zod';
import { type ModelAnswer, ModelError, type ModelRequest, type ModelUsage, type Provider } from '../core/ports.js';
import { type Cli, type CliRun, createCli, isInstalled, noResult, openCli, type ReadAnswer } from './cli.js';
import { cliFailure, count, type Fields, fieldsOf, readLines, textOf } from './cli-output.js';
import { redactedDetail } from './failure.js';
import type { ProviderDeclaration } from './provider.js';

const section = z.strictObject({
  /** Name on PATH, or absolute path; `opencode` unless given. */
  command: z.string().optional(),
  model: z.string().optional(),
  /** Names of more variables that it gets, such as the key of a vendor. */
  passEnv: z.array(z.string()).optional(),
  /** What its tools may do, as in its own `permission`, such as `{ "read": "allow", "edit": "allow" }`; nothing unless given. */
  permission: z.record(z.string(), z.enum(['allow', 'deny'])).optional(),
  /** Its working directory; the user's home unless given. */
  workingDirectory: z.string().optional(),
  /** Directories that a call may name as its own, with all in them; it may also name the caller's project. */
  workingDirectories: z.array(z.string()).optional(),
});

type Settings = z.output<typeof section>;

/** `opencode run --format json`. By itself it allows its tools everything, so all is denied that the settings do not grant. */
const cli: Cli<Settings> = {
  id: 'opencode',
  label: 'opencode',
  command: 'opencode',
  setUp: 'Install it and log in with `opencode auth login`.',
  args: ({ model: _ }, { model, session }: ModelRequest) => [
    ...['run', '--format', 'json'],
    ...(model ? ['-m', model] : []),
    // A fork, so that a conversation can be continued more than once.
    ...(session?.resume === undefined ? [] : ['-s', session.resume, '--fork']),
  ],
  read: readOpencodeResult,
  login: [],
  env: ({ permission }) => ({
    OPENCODE_CONFIG_CONTENT: JSON.stringify({ permission: { '*': 'deny', ...permission }, share: 'disabled' }),
    OPENCODE_DISABLE_AUTOUPDATE: '1',
  }),
  dropped: ['max_tokens', 'temperature', 'top_p', 'top_k', 'stop_sequences', 'num_ctx'],
  isGone: /session not found/i,
  uselessPlace: ({ permission = {} }) =>
    Object.values(permission).includes('allow')
      ? undefined
      : 'opencode has no tools, so it could neither read nor change files: grant some in providers.opencode.permission.',
};

/** The user's own opencode, on the user's own logins. */
export const opencode: ProviderDeclaration<Settings> = {
  id: cli.id,
  label: cli.label,
  settings: section,
  environment: {},
  defaultModel: '',
  modelStrings: 'opencode or opencode:VENDOR/MODEL',
  setUp: cli.setUp,
  isConfigured: (settings, context) => isInstalled(cli, settings, context),
  create: (settings, context) => openCli(cli, settings, context),
  passedOn: ({ passEnv = [] }) => passEnv,
};

export const createOpencode = (settings: Settings & CliRun): Provider => createCli(cli, settings);

/** Reads its events, one a line. The shapes were recorded from opencode 1.18.33. */
function readOpencodeResult(...[end, request, secrets]: Parameters<ReadAnswer>): ModelAnswer {
  const events = readLines(end.stdout);
  const parts = (type: string) => events.filter((event) => event.type === type).map(({ part }) => fieldsOf(part));
  const steps = parts('step_finish');
  const usage = readUsage(steps);
  const failed = events.findLast(({ type }) => type === 'error');
  if (failed) {
    const { data } = fieldsOf(failed.error);
    const { message, statusCode } = fieldsOf(data);
    const status = typeof statusCode === 'number' ? statusCode : undefined;
    const who = { label: 'opencode', model: request.model, login: 'Run `opencode auth login`.' };
    throw cliFailure(who, textOf(message), { status, secrets, ...(steps.length > 0 ? { usage } : {}) });
  }
  const last = steps.at(-1);
  if (!last || end.exitCode !== 0) {
    throw noResult('opencode', end, redactedDetail(end.stderr || end.stdout, secrets), 'opencode run hello');
  }
  const texts = parts('text').filter(({ messageID }) => messageID === last.messageID);
  if (texts.length === 0) {
    throw new ModelError('invalid_output', 'opencode ended its turn without an answer. Try again.', { usage });
  }
  const reason = textOf(last.reason);
  return {
    text: texts.map(({ text }) => textOf(text)).join(''),
    model: request.model,
    stopReason: stopReasons.get(reason) ?? reason,
    usage,
    warnings: [],
    ...(request.session?.isKept && last.sessionID ? { sessionId: textOf(last.sessionID) } : {}),
  };
}

const stopReasons = new Map([
  ['stop', 'end_turn'],
  ['length', 'max_tokens'],
]);

/** The tokens of all steps. It counts those of the cache apart, and says 0 for the cost of a model that it has no price of. */
function readUsage(steps: readonly Fields[]): ModelUsage {
  const usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
  let costUsd = 0;
  for (const { tokens, cost } of steps) {
    const { input, output, reasoning, cache } = fieldsOf(tokens);
    const { read, write } = fieldsOf(cache);
    usage.inputTokens += count(input) + count(read) + count(write);
    usage.outputTokens += count(output) + count(reasoning);
    usage.cacheReadTokens += count(read);
    usage.cacheWriteTokens += count(write);
    costUsd += typeof cost === 'number' ? cost : 0;
  }
  return costUsd > 0 ? { ...usage, costUsd } : usage;
}
