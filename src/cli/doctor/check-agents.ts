import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isBuiltIn } from '../../agents/index.js';
import { Modules } from '../../agents/modules/modules.js';
import { findCommand } from '../../base/child-environment.js';
import type { Config } from '../../base/config.js';
import { moduleEnvironment } from '../../runner/environment.js';
import { type Check, checksOf } from './check.js';

const { ok, fail } = checksOf('Agents');

/** The modules and commands of the config file. Each module is loaded in a process of its own, as it is when a job is submitted. */
export async function checkAgents(config: Config): Promise<Check[]> {
  const modules = new Modules({
    paths: config.agents,
    entry: fileURLToPath(new URL('./agent-host.js', import.meta.url)),
    env: moduleEnvironment(config),
    isReserved: isBuiltIn,
  });
  try {
    const { agents, problems } = await modules.list();
    const checks = [
      ...agents.map(({ type, module }) => ok(type, module)),
      ...problems.map(({ module, reason }) => fail(basename(module), `${module}: ${reason}`, fixOf(config))),
      ...checkCommands(config),
    ];
    return checks.length > 0
      ? checks
      : [ok('own agents', 'none; modules and commands can be named in the config file')];
  } finally {
    modules.close();
  }
}

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

const fixOf = ({ configPath }: Config) =>
  `Correct the module, or remove it from agents in ${configPath}. Nothing else is affected.`;
