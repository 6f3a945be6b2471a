import { ordinaryVariables, pickVariables, runnerMark } from '../../base/child-environment.js';
import { type ChildEnd, runChild } from '../../base/child-process.js';
import type { AllowedCommand } from '../../base/config.js';
import { messageOf, RuntimeError } from '../../base/errors.js';
import type { Environment } from '../../base/settings.js';
import { type AgentContext, AgentError, type BuiltInAgent } from '../define-agent.js';
import { type CommandPayload, type Commands, commandCapability, commandPayload } from './payload.js';

export interface CommandNeeds {
  commands: Commands;
  configPath: string;
  /** The environment from which a command's variables are taken. */
  env: Environment;
}

/** The agent of `command` jobs: runs the commands that the config file allows, without a shell. */
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
      if (!command) throw notAllowed(name, configPath);
      return { requires: commandCapability(name), ...jobTimeoutFor(command) };
    },
    async execute(job, context) {
      const { command: name, args, input } = job.payload as CommandPayload;
      const command = commands.get(name);
      if (!command) throw notAllowed(name, configPath);
      const startedAt = performance.now();
      const end = await run(name, command, { args, input, env }, context);
      throwOnFailure(name, command, end);
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

/** A job timeout after the command's own, because a job's timeout is retried and a command's is not. */
function jobTimeoutFor({ timeoutSeconds }: AllowedCommand): { timeoutSeconds?: number } {
  return timeoutSeconds === undefined ? {} : { timeoutSeconds: timeoutSeconds + 2 * (graceMs / 1000) };
}

const graceMs = 5_000;
const dayMs = 86_400_000;

async function run(
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
      onStderr: (text) => lines.add(text),
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

/** The ordinary variables, those that the config file names, and the mark by which a runner's children are found. */
function environmentFor(command: AllowedCommand, env: Environment): Record<string, string> {
  const passed = pickVariables(env, [...ordinaryVariables, ...command.env, runnerMark]);
  return { ...passed, AGENT_RUNTIME_DEPTH: String((Number(env.AGENT_RUNTIME_DEPTH) || 0) + 1) };
}

/** Writes the lines of stderr to the job's log, up to `limit` bytes. */
function logLines(context: AgentContext, limit: number) {
  let partial = '';
  let bytesLeft = limit;
  function log(line: string): void {
    if (line === '' || bytesLeft < 0) return;
    bytesLeft -= Buffer.byteLength(line);
    context.log('info', bytesLeft < 0 ? 'There is more on stderr, which is not stored.' : line);
  }
  return {
    add(text: string): void {
      const lines = (partial + text).split(/\r?\n/);
      partial = (lines.pop() ?? '').slice(-limit);
      for (const line of lines) log(line);
    },
    end: () => log(partial),
  };
}

/** Characters of stderr in the error message. */
const shownStderr = 1_000;

function throwOnFailure(
  name: string,
  command: AllowedCommand,
  { exitCode, signalName, stderr, reason }: ChildEnd,
): void {
  if (reason === 'itself' && exitCode === 0) return;
  const words =
    stderr.trim() === '' ? '' : ` Its stderr ended with: ${JSON.stringify(stderr.trim().slice(-shownStderr))}`;
  // Not transient: it may have done half of its work, so only the submitter can decide to run it again.
  if (reason === 'timeout') {
    const seconds = command.timeoutSeconds;
    throw new AgentError('timeout', `The command ${name} took longer than its ${seconds} s and was ended.${words}`);
  }
  if (reason === 'cancelled') throw new AgentError('cancelled', `The command ${name} was ended before it finished.`);
  const how = signalName === null ? `failed with exit code ${exitCode}` : `was ended by ${signalName}`;
  throw new AgentError('command_failed', `The command ${name} ${how}.${words}`);
}

function allowed(commands: Commands): string {
  const names = [...commands.keys()];
  return names.length === 0 ? 'No command is allowed yet.' : `Allowed: ${names.join(', ')}.`;
}

function notAllowed(name: string, configPath: string): RuntimeError {
  const example = JSON.stringify({ commands: { [name]: { program: '/path/to/program', args: [], allowArgs: false } } });
  return new RuntimeError(
    'not_configured',
    `The config file allows no command ${JSON.stringify(name)}.`,
    `To allow it, the owner of this machine can write ${example} to ${configPath}.`,
  );
}
