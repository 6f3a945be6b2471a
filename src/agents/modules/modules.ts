import { statSync } from 'node:fs';
import type { Json } from '../../base/json.js';
import { modulePrefix } from '../../core/jobs/claim-job.js';
import type { DescribedAgent, ModuleAnswer } from './module-host.js';
import { createModuleHost, type ModuleHost, type ModuleHostNeeds } from './module-host.js';

export interface ModulesNeeds extends ModuleHostNeeds {
  /** Absolute paths; of two that declare the same type, the first has it. */
  paths: readonly string[];
  /** Whether a type is built in, and so not to be had. */
  isReserved(type: string): boolean;
}

export interface ModuleAgent extends DescribedAgent {
  /** Absolute path of its module. */
  module: string;
}

/** A module, or a type of one, that cannot be used, and why. */
export interface ModuleProblem {
  module: string;
  reason: string;
}

export type Modules = ReturnType<typeof createModules>;

/** A failure may lie in what a module imports, whose change is not seen; it is looked at again after this long. */
const describedForMs = 30_000;

interface Described {
  modifiedAt: number | undefined;
  at: number;
  answer: Promise<ModuleAnswer>;
}

/**
 * The user's own modules, seen from a process that must not run their code: each is loaded by a host of its own, when
 * it is first asked about.
 */
export function createModules({ paths, isReserved, entry, env }: ModulesNeeds) {
  const hosts = new Map<string, ModuleHost>(paths.map((path) => [path, createModuleHost(path, { entry, env })]));
  const described = new Map<string, Described>();

  function describe(path: string): Promise<ModuleAnswer> {
    const modifiedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    const known = described.get(path);
    if (known && known.modifiedAt === modifiedAt && performance.now() - known.at < describedForMs) return known.answer;
    if (known && known.modifiedAt !== modifiedAt) hosts.get(path)?.close();
    const answer: Promise<ModuleAnswer> =
      modifiedAt === undefined
        ? Promise.resolve({ kind: 'failed', reason: 'There is no such file.' })
        : (hosts.get(path)?.ask({ ask: 'describe' }) ??
          Promise.resolve({ kind: 'failed', reason: 'It is not named.' }));
    described.set(path, { modifiedAt, at: performance.now(), answer });
    return answer;
  }

  /** Module by module in the order given, so that one that hangs keeps nobody from those before it. */
  async function* look(): AsyncGenerator<{ agent: ModuleAgent } | { problem: ModuleProblem }> {
    const answers = paths.map((path) => ({ module: path, answer: describe(path) }));
    const taken = new Map<string, string>();
    for (const { module, answer } of answers) {
      const said = await answer;
      if (said.kind === 'failed') yield { problem: { module, reason: said.reason } };
      if (said.kind !== 'described') continue;
      for (const agent of said.agents) {
        const clash = isReserved(agent.type) ? 'is built in' : taken.get(agent.type);
        if (clash) {
          const reason = `Its agent has the type ${agent.type}, which ${clash}. Give it another.`;
          yield { problem: { module, reason } };
        } else {
          taken.set(agent.type, `${module} declares too`);
          yield { agent: { ...agent, module } };
        }
      }
    }
  }

  return {
    /** What a runner must have for jobs of these modules. */
    provides: paths.map((path) => `${modulePrefix}${path}`),

    /** The agent of a type, or what stands in the way of finding one. */
    async find(type: string): Promise<{ agent: ModuleAgent } | { types: string[]; problems: ModuleProblem[] }> {
      const types: string[] = [];
      const problems: ModuleProblem[] = [];
      for await (const found of look()) {
        if ('problem' in found) problems.push(found.problem);
        else if (found.agent.type === type) return found;
        else types.push(found.agent.type);
      }
      return { types, problems };
    },

    async list(): Promise<{ agents: ModuleAgent[]; problems: ModuleProblem[] }> {
      const agents: ModuleAgent[] = [];
      const problems: ModuleProblem[] = [];
      for await (const found of look()) {
        if ('problem' in found) problems.push(found.problem);
        else agents.push(found.agent);
      }
      return { agents, problems };
    },

    /** Asks the module's own schema. */
    check: async ({ module, type }: ModuleAgent, payload: Json): Promise<ModuleAnswer> =>
      (await hosts.get(module)?.ask({ ask: 'check', type, payload })) ?? { kind: 'failed', reason: 'It is not named.' },

    close(): void {
      for (const host of hosts.values()) host.close();
    },
  };
}
