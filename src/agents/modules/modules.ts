import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Json } from '../../base/json.js';
import { modulePrefix } from '../../core/jobs/lane.js';
import { type Description, Descriptions } from './descriptions.js';
import { ModuleHost } from './module-host.js';
import type { DescribedAgent, ModuleAnswer, ModuleHostNeeds } from './module-process.js';

/** A module and what its processes get beside the ordinary environment. */
export interface HostedModule {
  /** Absolute. */
  path: string;
  /** The variables that the config file names for it, as far as they are set. */
  variables: Readonly<Record<string, string>>;
  /** Names of those that are not. */
  missing: readonly string[];
}

export interface ModulesNeeds extends ModuleHostNeeds {
  /** If two modules declare the same type, the first one has it. */
  modules: readonly HostedModule[];
  /** Whether a type is built in, so that no module can declare it. */
  isReserved(type: string): boolean;
  /** Where descriptions are kept for other processes; without it every process describes the modules for itself. */
  cacheDir?: string | undefined;
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

/** A module that starts costs CPU time, and the machine has other work. */
const mostAtOnce = Math.max(2, Math.floor(availableParallelism() / 2));
const slowMs = 2_000;

/**
 * The user's own modules, for a process that must not run their code: each module is loaded by a child process, once for
 * as long as its files stay the same.
 */
export class Modules {
  /** The capabilities that a runner must have for jobs of these modules. */
  readonly provides: readonly string[];
  readonly #paths: readonly string[];
  readonly #isReserved: (type: string) => boolean;
  readonly #hosts: ReadonlyMap<string, ModuleHost>;
  readonly #descriptions: Descriptions;
  /** Those that are being loaded. */
  readonly #loading = new Map<string, Promise<Description>>();
  #running = 0;
  readonly #queued: (() => void)[] = [];

  constructor({ modules, isReserved, entry, env, cacheDir }: ModulesNeeds) {
    this.#paths = modules.map(({ path }) => path);
    this.provides = this.#paths.map((path) => `${modulePrefix}${path}`);
    this.#isReserved = isReserved;
    this.#hosts = new Map(
      modules.map(({ path, variables }) => [path, new ModuleHost(path, { entry, env: { ...env, ...variables } })]),
    );
    this.#descriptions = new Descriptions(cacheDir);
  }

  /**
   * The agent of a type, as soon as a module is known to have it, so that one that hangs costs the others nothing; or, if
   * there is none, the types that exist and the modules that cannot be used.
   */
  async find(type: string): Promise<{ agent: ModuleAgent } | { types: string[]; problems: ModuleProblem[] }> {
    const known = new Map(this.#paths.map((path) => [path, this.#descriptions.find(path)?.description]));
    const open = this.#paths.filter((path) => known.get(path) === undefined);
    for (;;) {
      const agent = this.#entries(known).agents.find((one) => one.type === type);
      if (agent) return { agent };
      if (open.length === 0) break;
      const { path, description } = await Promise.race(
        open.map(async (one) => ({ path: one, description: await this.#describe(one) })),
      );
      known.set(path, description);
      open.splice(open.indexOf(path), 1);
    }
    // One that failed before may work by now.
    const { agents, problems } = await this.list();
    const found = agents.find((one) => one.type === type);
    return found ? { agent: found } : { types: agents.map((one) => one.type), problems };
  }

  async list(): Promise<{ agents: ModuleAgent[]; problems: ModuleProblem[] }> {
    const described = this.#paths.map(async (path) => [path, await this.#describe(path)] as const);
    return this.#entries(new Map(await Promise.all(described)));
  }

  /** Checks a payload by the module's own schema; a fresh description of its agent comes with the answer. */
  async check({ module, type }: ModuleAgent, payload: Json): Promise<ModuleAnswer> {
    const host = this.#hosts.get(module);
    const answer = (await host?.ask({ ask: 'check', type, payload })) ?? notConfigured;
    if (answer.kind !== 'failed') this.#descriptions.keep(module, answer);
    return answer;
  }

  close(): void {
    for (const host of this.#hosts.values()) host.close();
  }

  /** The agents and problems in the order of the modules. */
  #entries(descriptions: ReadonlyMap<string, Description | undefined>) {
    const agents: ModuleAgent[] = [];
    const problems: ModuleProblem[] = [];
    for (const module of this.#paths) {
      const description = descriptions.get(module) ?? { agents: [] };
      if ('reason' in description) problems.push({ module, reason: description.reason });
      for (const agent of 'agents' in description ? description.agents : []) {
        const clash = this.#clashOf(agent.type, agents);
        if (clash === undefined) agents.push({ ...agent, module });
        else {
          const reason = `Its agent has the type ${agent.type}, which ${clash}. Give it another.`;
          problems.push({ module, reason });
        }
      }
    }
    return { agents, problems };
  }

  #clashOf(type: string, declared: readonly ModuleAgent[]): string | undefined {
    if (this.#isReserved(type)) return 'is built in';
    const first = declared.find((one) => one.type === type);
    return first && `${first.module} declares too`;
  }

  /** The description of a module as it is now, by its process if it is not known yet. */
  async #describe(path: string): Promise<Description> {
    if (!existsSync(path)) return { reason: 'There is no such file.' };
    const known = this.#descriptions.find(path);
    if (known?.isFresh) return known.description;
    const loading = this.#loading.get(path) ?? this.#load(path, known === undefined);
    this.#loading.set(path, loading);
    return loading;
  }

  async #load(path: string, isChanged: boolean): Promise<Description> {
    const leave = await this.#room();
    // One that takes long may hang, and others shall not wait for that.
    const late = setTimeout(leave, slowMs);
    try {
      const host = this.#hosts.get(path);
      // A process that has loaded it as it was.
      if (isChanged) host?.close();
      return this.#descriptions.keep(path, (await host?.ask({ ask: 'describe' })) ?? notConfigured);
    } finally {
      clearTimeout(late);
      leave();
      this.#loading.delete(path);
    }
  }

  /** Resolves when a module may be started, to what says that it is loaded; that may be said twice. */
  async #room(): Promise<() => void> {
    if (this.#running >= mostAtOnce) await new Promise<void>((resolve) => this.#queued.push(resolve));
    this.#running++;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#running--;
      this.#queued.shift()?.();
    };
  }
}

const notConfigured: ModuleAnswer = { kind: 'failed', reason: 'It is not configured.', files: [] };
