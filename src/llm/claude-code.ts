import { z } from 'zod';
import { findCommand } from '../base/child-environment.js';
import type { Environment } from '../base/settings.js';
import type { ModelRequest, Provider } from '../core/ports.js';
import { readClaudeCodeResult } from './claude-code-result.js';
import { type Cli, type CliRun, createCli, detectVersion, isInstalled, openCli } from './cli.js';
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

/**
 * `claude -p`, without MCP servers, without tools unless the settings grant them, and without a stored session unless the
 * call wants one.
 *
 * Never `--bare`: that mode does not read the subscription login. The prompt goes over stdin, because anyone on the
 * machine may read an argument list; the system prompt has no other way in.
 */
const cli: Cli<Settings> = {
  id: 'claude-code',
  label: 'Claude Code',
  command: 'claude',
  setUp: 'Install Claude Code and log in once with `claude`.',
  args: writeArgs,
  read: readClaudeCodeResult,
  login: ['CLAUDE_CODE_OAUTH_TOKEN', 'CLAUDE_CODE_GIT_BASH_PATH'],
  // On a refused login the CLI otherwise retries for over a minute; retries belong to the job runner.
  env: () => ({ CLAUDE_CODE_MAX_RETRIES: '1' }),
  dropped: ['max_tokens', 'temperature', 'top_p', 'top_k', 'stop_sequences', 'num_ctx'],
  takesInstructions: true,
  isGone: /no conversation found/i,
  uselessPlace: ({ allowedTools = [] }) =>
    allowedTools.length > 0
      ? undefined
      : 'Claude Code has no tools, so it could neither read nor change files: grant some in providers.claude-code.allowedTools.',
  limitsCost: ({ maxBudgetUsd }) => ({ usd: maxBudgetUsd }),
};

/** The user's own Claude Code, on the user's own login. */
export const claudeCode: ProviderDeclaration<Settings> = {
  id: cli.id,
  label: cli.label,
  settings: section,
  environment: {},
  defaultModel: 'sonnet',
  modelStrings: 'claude-code or claude-code:sonnet',
  servesModelsOf: 'anthropic',
  setUp: cli.setUp,
  isConfigured: (settings, context) => isInstalled(cli, settings, context),
  create: (settings, context) => openCli(cli, settings, context),
  passedOn: ({ passEnv = [] }) => passEnv,
};

/** The full path of the user's Claude Code; undefined when it is not installed. Starts no process. */
export function findClaudeCode(config: {
  providers: Readonly<Record<string, unknown>>;
  env: Environment;
}): string | undefined {
  return findCommand(settingsOf(claudeCode, config).command ?? cli.command, config.env);
}

export type ClaudeCodeRun = Settings & CliRun;

export const createClaudeCode = (settings: ClaudeCodeRun): Provider => createCli(cli, settings);

/** Its version, such as `2.1.328`, or undefined when it is not there or does not answer within 5 s. */
export const detectClaudeCode = (command: string, env: Environment): Promise<string | undefined> =>
  detectVersion(cli, command, env);

function writeArgs(settings: Settings, { model, system, session, params, maxCostUsd }: ModelRequest): string[] {
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
