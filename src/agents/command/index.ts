import { type ChildEnd, runChild } from '../../base/child-process.js';
import type { AllowedCommand } from '../../base/config.js';
import { messageOf, RuntimeError } from '../../base/errors.js';
import { ordinaryVariables, runnerMark } from '../../base/ordinary-variables.js';
import type { Environment } from '../../base/settings.js';
import type { BuiltInAgent } from '../define-agent.js';
import { type AgentContext, AgentError } from '../define-agent.js';
import { type CommandPayload, type Commands, commandAbility, commandPayload } from './payload.js';

export interface CommandNeeds {
  commands: Commands;
  configPath: string;
  /** What a command's environment is chosen from. */
  env: Environment;
}

/** Runs the commands that the config file allows, and no others, without a shell. */
export function createCommandAgent({ commands, configPath, env }: CommandNeeds): BuiltInAgent {
  const payload = commandPayload(commands);
  return {
    type: 'command',
    description:
      'Runs a command that the config file allows, without a shell; its stdout is the result, its stderr goes to the log. ' +
      allowed(commands),
    payload,
    demandsOf(given) {
      const { command: name } = given as CommandPayload;
      const command = commands.get(name);
      if (!command) throw nothingAllowed(name, configPath);
      return { requires: commandAbility(name), ...patienceFor(command) };
    },
    async execute(job, context) {
      const { command: name, args, input } = job.payload as CommandPayload;
      const command = commands.get(name);
      if (!command) throw nothingAllowed(name, configPath);
      const startedAt = performance.now();
      const end = await start(name, command, { args, input, env }, context);
      refuseFailure(name, command, end);
      if (end.isCut) context.warn(`${name} printed more than ${command.maxOutputBytes} bytes; the rest was dropped.`);
      const durationMs = Math.round(performance.now() - startedAt);
      return {
        command: name,
        exit_code: end.exitCode,
        stdout: end.stdout,
        truncated: end.isCut,
        duration_ms: durationMs,
      };
    },
  };
}

/** The command's own limit comes first: what it has overrun by itself is not tried again, as a job's timeout would be. */
function patienceFor({ timeoutSeconds }: AllowedCommand): { timeoutSeconds?: number } {
  return timeoutSeconds === undefined ? {} : { timeoutSeconds: timeoutSeconds + 2 * (graceMs / 1000) };
}

const graceMs = 5_000;
const dayMs = 86_400_000;

async function start(
  name: string,
  command: AllowedCommand,
  { args, input, env }: { args: readonly string[]; input: string; env: Environment },
  context: AgentContext,
): Promise<ChildEnd> {
  const lines = logLines(context, command.maxOutputBytes);
  try {
    return await runChild({
      command: command.program,
      args: [...command.args, ...args],
      env: environmentFor(command, env),
      cwd: command.cwd,
      input,
      signal: context.signal,
      timeoutMs: command.timeoutSeconds === undefined ? dayMs : command.timeoutSeconds * 1000,
      graceMs,
      stdoutLimit: command.maxOutputBytes,
      onStdout: (text) => context.output(text),
      onStderr: (text) => lines.take(text),
    });
  } catch (cause) {
    const reason = messageOf(cause);
    const where = `${command.program}, in ${command.cwd}`;
    throw new AgentError('cannot_start', `The command ${name} (${where}) cannot be started: ${reason}.`, false, {
      cause,
    });
  } finally {
    lines.end();
  }
}

/** What any program needs, what the config file names, and the mark by which a runner's children are found. */
function environmentFor(command: AllowedCommand, env: Environment): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of [...ordinaryVariables, ...command.env, runnerMark]) {
    const value = env[name];
    if (value) passed[name] = value;
  }
  return { ...passed, AGENT_RUNTIME_DEPTH: String((Number(env.AGENT_RUNTIME_DEPTH) || 0) + 1) };
}

/** Lines of stderr as lines of the job's log, up to a number of bytes. */
function logLines(context: AgentContext, limit: number) {
  let begun = '';
  let room = limit;
  function log(line: string): void {
    if (line === '' || room < 0) return;
    room -= Buffer.byteLength(line);
    context.log('info', room < 0 ? 'There is more on stderr, which is not kept.' : line);
  }
  return {
    take(text: string): void {
      const lines = (begun + text).split(/\r?\n/);
      begun = (lines.pop() ?? '').slice(-limit);
      for (const line of lines) log(line);
    },
    end: () => log(begun),
  };
}

/** The end of what it said, enough for a person to see why it failed. */
const shownStderr = 1_000;

function refuseFailure(
  name: string,
  command: AllowedCommand,
  { exitCode, signalName, stderr, reason }: ChildEnd,
): void {
  if (reason === 'itself' && exitCode === 0) return;
  const words =
    stderr.trim() === '' ? '' : ` Its stderr ended with: ${JSON.stringify(stderr.trim().slice(-shownStderr))}`;
  // It may have done half of its work, so that only its submitter can say whether to run it again.
  if (reason === 'timeout') {
    const seconds = command.timeoutSeconds;
    throw new AgentError('timeout', `The command ${name} took longer than its ${seconds} s and was ended.${words}`);
  }
  if (reason === 'cancelled') throw new AgentError('cancelled', `The command ${name} was ended before it was done.`);
  const how = signalName === null ? `failed with exit code ${exitCode}` : `was ended by ${signalName}`;
  throw new AgentError('command_failed', `The command ${name} ${how}.${words}`);
}

function allowed(commands: Commands): string {
  const names = [...commands.keys()];
  return names.length === 0 ? 'None is allowed yet.' : `Allowed: ${names.join(', ')}.`;
}

function nothingAllowed(name: string, configPath: string): RuntimeError {
  const example = JSON.stringify({ commands: { [name]: { program: '/path/to/program', args: [], allowArgs: false } } });
  return new RuntimeError(
    'not_configured',
    `The config file allows no command ${JSON.stringify(name)}.`,
    `Whoever owns this machine may allow it by writing ${example} to ${configPath}.`,
  );
}
