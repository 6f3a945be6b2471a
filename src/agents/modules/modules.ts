import { statSync } from 'node:fs';
import type { Json } from '../../base/json.js';
import { modulePrefix } from '../../core/jobs/lane.js';
import { type DescribedAgent, type ModuleAnswer, ModuleHost, type ModuleHostNeeds } from './module-host.js';

export interface ModulesNeeds extends ModuleHostNeeds {
  /** Absolute paths. If two modules declare the same type, the first one has it. */
  paths: readonly string[];
  /** Whether a type is built in, so that no module can declare it. */
  isReserved(type: string): boolean;
}

export interface ModuleAgent extends DescribedAgent {
  /** Absolute path of its module. */
  module: string;
}

/** Why a module, or one of its types, cannot be used. */
export interface ModuleProblem {
  module: string;
  reason: string;
}

/**
 * How long a description is valid. A failure may lie in a file that the module imports, whose change is not seen, so the
 * module is described again after this time.
 */
const describedForMs = 30_000;

interface Description {
  modifiedAt: number | undefined;
  /** By `performance.now`. */
  at: number;
  answer: Promise<ModuleAnswer>;
}

/**
 * The user's own modules, for a process that must not run their code: each module is loaded by a child process, when it
 * is first asked about.
 */
export class Modules {
  /** The capabilities that a runner must have for jobs of these modules. */
  readonly provides: readonly string[];
  readonly #paths: readonly string[];
  readonly #isReserved: (type: string) => boolean;
  readonly #hosts: ReadonlyMap<string, ModuleHost>;
  readonly #descriptions = new Map<string, Description>();

  constructor({ paths, isReserved, entry, env }: ModulesNeeds) {
    this.provides = paths.map((path) => `${modulePrefix}${path}`);
    this.#paths = paths;
    this.#isReserved = isReserved;
    this.#hosts = new Map(paths.map((path) => [path, new ModuleHost(path, { entry, env })]));
  }

  /** The agent of a type; or, if there is none, the types that exist and the modules that cannot be used. */
  async find(type: string): Promise<{ agent: ModuleAgent } | { types: string[]; problems: ModuleProblem[] }> {
    const types: string[] = [];
    const problems: ModuleProblem[] = [];
    for await (const found of this.#entries()) {
      if ('problem' in found) problems.push(found.problem);
      else if (found.agent.type === type) return found;
      else types.push(found.agent.type);
    }
    return { types, problems };
  }

  async list(): Promise<{ agents: ModuleAgent[]; problems: ModuleProblem[] }> {
    const agents: ModuleAgent[] = [];
    const problems: ModuleProblem[] = [];
    for await (const found of this.#entries()) {
      if ('problem' in found) problems.push(found.problem);
      else agents.push(found.agent);
    }
    return { agents, problems };
  }

  /** Checks a payload by the module's own schema. */
  async check({ module, type }: ModuleAgent, payload: Json): Promise<ModuleAnswer> {
    return (await this.#hosts.get(module)?.ask({ ask: 'check', type, payload })) ?? notConfigured;
  }

  close(): void {
    for (const host of this.#hosts.values()) host.close();
  }

  /** The agents and problems in the order of the modules, so that a module that hangs delays only those after it. */
  async *#entries(): AsyncGenerator<{ agent: ModuleAgent } | { problem: ModuleProblem }> {
    const answers = this.#paths.map((path) => ({ module: path, answer: this.#describe(path) }));
    const taken = new Map<string, string>();
    for (const { module, answer } of answers) {
      const described = await answer;
      if (described.kind === 'failed') yield { problem: { module, reason: described.reason } };
      if (described.kind !== 'described') continue;
      for (const agent of described.agents) {
        const clash = this.#isReserved(agent.type) ? 'is built in' : taken.get(agent.type);
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

  #describe(path: string): Promise<ModuleAnswer> {
    const modifiedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    const known = this.#descriptions.get(path);
    if (known && known.modifiedAt === modifiedAt && performance.now() - known.at < describedForMs) return known.answer;
    if (known && known.modifiedAt !== modifiedAt) this.#hosts.get(path)?.close();
    const answer =
      modifiedAt === undefined
        ? Promise.resolve(missing)
        : (this.#hosts.get(path)?.ask({ ask: 'describe' }) ?? Promise.resolve(notConfigured));
    this.#descriptions.set(path, { modifiedAt, at: performance.now(), answer });
    return answer;
  }
}

const missing: ModuleAnswer = { kind: 'failed', reason: 'There is no such file.' };
const notConfigured: ModuleAnswer = { kind: 'failed', reason: 'It is not configured.' };
