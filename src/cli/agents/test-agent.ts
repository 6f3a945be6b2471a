import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModuleProcess, type TriedOutcome } from '../../agents/modules/module-process.js';
import { type HostedModule, type ModuleAgent, Modules } from '../../agents/modules/modules.js';
import type { Config } from '../../base/config.js';
import { RuntimeError } from '../../base/errors.js';
import { createRedactor } from '../../base/redact.js';
import { moduleEnvironment, modulesOf } from '../../runner/environment.js';
import type { CommandContext } from '../define-command.js';
import type { Output } from '../output.js';
import { readJsonObject } from '../read-json-object.js';
import { settingOf } from '../with-runtime.js';
import { TrialRecord } from './trial-record.js';

export interface TestAgentOptions {
  /** A job type of a module of the config file, or the path of a module. */
  name: string;
  /** JSON, or the file that holds it. */
  payload: string;
  /** Which of the agents of a module that has several. */
  type: string | undefined;
}

const usualTimeoutSeconds = 1_800;

/** Runs an agent of the user's own once, in a process as a runner would, without a job and without a database. */
export async function runTestAgent(options: TestAgentOptions, context: CommandContext): Promise<void> {
  const { flags, output, wantsJson } = context;
  const { config } = settingOf(flags);
  const payload = readJsonObject('--payload', options.payload);
  const { agent, hosted } = await findAgent(options, config);
  const directory = mkdtempSync(join(tmpdir(), 'agent-runtime-test-'));
  const host = {
    ...hostOf(config, hosted),
    heapMb: config.runnerHeapMb,
    isLoud: !flags.isQuiet,
  };
  const record = new TrialRecord(createRedactor(config.secrets), wantsJson || flags.isQuiet ? undefined : output);
  const trial = new ModuleProcess(agent.module, host);
  const stop = () => trial.stop();
  process.once('SIGINT', stop);
  const timeoutSeconds = agent.timeoutSeconds ?? usualTimeoutSeconds;
  const request = { type: agent.type, payload, directory, timeoutSeconds };
  const outcome = await trial.try(request, (event) => record.add(event));
  record.end();
  trial.end();
  process.off('SIGINT', stop);
  if (outcome.status === 'failed') process.exitCode = 1;
  if (wantsJson) output.printJson({ type: agent.type, module: agent.module, ...record.document(), ...shown(outcome) });
  else printOutcome(outcome, output);
}

/** The agent that is meant. Throws `not_configured` with what is wrong with its module, and `not_found`. */
async function findAgent({ name, type }: TestAgentOptions, config: Config) {
  const configured = modulesOf(config);
  const isPath = /[\\/]|\.[cm]?[jt]s$/.test(name);
  const path = resolve(name);
  const named: HostedModule = configured.find((one) => one.path === path) ?? { path, variables: {}, missing: [] };
  const modules = new Modules({
    ...hostOf(config),
    modules: isPath ? [named] : configured,
    isReserved: () => false,
  });
  try {
    const { agents, problems } = await modules.list();
    const wanted = isPath ? type : name;
    const agent = wanted === undefined && agents.length === 1 ? agents[0] : agents.find((one) => one.type === wanted);
    if (!agent) throw notThere(name, wanted, agents, problems);
    const hosted = isPath ? named : (configured.find((one) => one.path === agent.module) ?? named);
    return { agent, hosted };
  } finally {
    modules.close();
  }
}

function notThere(
  name: string,
  wanted: string | undefined,
  agents: readonly ModuleAgent[],
  problems: readonly { module: string; reason: string }[],
): RuntimeError {
  const [problem] = problems;
  if (agents.length === 0 && problem && problems.length === 1) {
    return new RuntimeError('not_configured', `${problem.module} cannot be used: ${problem.reason}`, 'Correct it.');
  }
  const broken = problems.map(({ module, reason }) => ` ${module} cannot be used: ${reason}`).join('');
  const types = agents.map((one) => one.type);
  if (wanted === undefined) {
    return new RuntimeError('invalid', `${name} has several agents.`, `Name one by --type: ${types.join(', ')}.`);
  }
  return new RuntimeError(
    'not_found',
    `No module of yours has an agent ${wanted}.${broken}`,
    types.length === 0 ? 'Give the path of a module.' : `There are ${types.join(', ')}; or give the path of a module.`,
  );
}

const hostOf = (config: Config, hosted?: HostedModule) => ({
  entry: fileURLToPath(new URL('./agent-host.js', import.meta.url)),
  env: { ...moduleEnvironment(config), ...hosted?.variables },
});

function shown({ status, result, code, message, stack, artifacts }: TriedOutcome) {
  if (status === 'completed') return { status, result, artifacts };
  return { status, result, error: { code, message, stack }, artifacts };
}

function printOutcome({ status, result, code, message, stack, artifacts = [] }: TriedOutcome, output: Output): void {
  for (const { name, path, sizeBytes } of artifacts) output.say(`file   ${name}  ${sizeBytes} bytes  ${path}`);
  if (status === 'completed') {
    output.printJson(result ?? null);
    return;
  }
  output.say(`${output.paintAside('red', 'failed:')} ${code}: ${message}`);
  if (stack !== undefined) output.say(stack);
}
