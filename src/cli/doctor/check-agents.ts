import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isBuiltIn } from '../../agents/index.js';
import { Modules } from '../../agents/modules/modules.js';
import { findCommand } from '../../base/child-environment.js';
import type { Config } from '../../base/config.js';
import { patternProblem } from '../../core/event-targets/event-targets.js';
import { moduleEnvironment, modulesOf } from '../../runner/environment.js';
import { type Check, checksOf } from './check.js';

const { ok, fail } = checksOf('Agents');

/** The modules and commands of the config file. Each module is loaded in a process of its own, as it is when a job is submitted. */
export async function checkAgents(config: Config): Promise<Check[]> {
  const modules = new Modules({
    modules: modulesOf(config),
    entry: fileURLToPath(new URL('./agent-host.js', import.meta.url)),
    env: moduleEnvironment(config),
    isReserved: isBuiltIn,
  });
  try {
    const { agents, problems } = await modules.list();
    const checks = [
      ...agents.map(({ type, module }) => ok(type, module)),
      ...checkVariables(config),
      ...problems.map(({ module, reason }) => fail(basename(module), `${module}: ${reason}`, fixOf(config))),
      ...checkCommands(config),
      ...checkSinks(config),
    ];
    return checks.length > 0
      ? checks
      : [ok('own agents', 'none; modules and commands can be named in the config file')];
  } finally {
    modules.close();
  }
}

function checkVariables(config: Config): Check[] {
  return modulesOf(config).flatMap(({ path, missing }) => missing.map((name) => failUnset(basename(path), name, path)));
}

const failUnset = (title: string, name: string, path: string): Check =>
  fail(title, `${name} is not set, which the config file gives to ${path}`, `Set ${name} in secretsFile.`);

function checkCommands({ commands, env }: Config): Check[] {
  return [...commands].map(([name, { program }]) => {
    const path = findCommand(program, env);
    return path
      ? ok(`command ${name}`, path)
      : fail(
          `command ${name}`,
          `there is no program ${program}`,
          `Correct commands.${name}.program in the config file.`,
        );
  });
}

/** A sink is not loaded here: it may connect to its queue when it is. */
function checkSinks({ sinks, env, configPath }: Config): Check[] {
  return [...sinks].map(([name, { path, env: variables, events }]) => {
    const missing = variables.find((variable) => env[variable] === undefined);
    const title = `sink ${name}`;
    if (!existsSync(path)) return fail(title, `there is no file ${path}`, `Correct sinks.${name} in ${configPath}.`);
    if (missing !== undefined) return failUnset(title, missing, path);
    const { message, hint } = patternProblem(events) ?? {};
    return message === undefined ? ok(title, path) : fail(title, message, `${hint} It is in sinks.${name}.events.`);
  });
}

const fixOf = ({ configPath }: Config) =>
  `Correct the module, or remove it from agents in ${configPath}. Nothing else is affected.`;
