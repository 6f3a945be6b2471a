import type { Clock } from '../base/clock.js';
import { LentVariables } from '../base/environment.js';
import { type FieldProblem, RuntimeError } from '../base/errors.js';
import type { Json } from '../base/json.js';
import { modulePrefix } from '../core/jobs/lane.js';
import type { JobEffect } from '../core/jobs/outcome.js';
import type { PriceDownload } from './backtest/price-download.js';
import type { CommandNeeds } from './command/index.js';
import { commandCapability } from './command/payload.js';
import { decomposeEffect } from './decompose.js';
import type { Agent, BuiltInAgent, Demands } from './define-agent.js';
import type { LlmNeeds } from './llm.js';
import { importAgents } from './modules/import-agents.js';
import type { DescribedAgent } from './modules/module-process.js';
import { type ModuleAgent, type ModuleProblem, Modules, type ModulesNeeds } from './modules/modules.js';
import { checkPayload, describePayload } from './payload-schema.js';
import { verifyEffect } from './verify.js';

export interface AgentNeeds extends LlmNeeds, CommandNeeds {
  priceDownload: PriceDownload | undefined;
  /** AGENT_RUNTIME_DATA_DIR. */
  dataDir: string;
  /** The user's own modules. */
  modules: Omit<ModulesNeeds, 'isReserved'>;
}

export interface AgentDescription extends DescribedAgent {
  /** Absolute path of its module; undefined for a built-in agent. */
  module?: string | undefined;
}

export interface CheckedPayload {
  payload: Json;
  demands: Demands;
  /** For the submitter, a sentence each. */
  warnings?: string[] | undefined;
}

export interface AgentRegistry {
  /** The built-in job types. */
  readonly types: ReadonlySet<string>;
  /** The capabilities of runners with this configuration: commands and modules. */
  readonly provides: readonly string[];
  /**
   * The agent of a job, imported into this process on first use; `requires` is the capability that the job requires.
   * Throws `not_found`, and `not_configured` when its module does not load.
   */
  load(type: string, requires?: string | null): Promise<BuiltInAgent>;
  /** All agents, or the agent of a type, without running the user's own code in this process. Throws `not_found`. */
  describe(type?: string): Promise<{ agents: AgentDescription[]; problems: ModuleProblem[] }>;
  /** Checks a payload by the agent's schema. Throws `not_found`, `not_configured`, and `invalid` with the schema's messages. */
  check(type: string, payload: Json): Promise<CheckedPayload>;
  /** Ends the processes that have loaded modules. */
  close(): void;
}

/** Effects of completed jobs by type, written in the transaction that completes the job. */
export const jobEffects = (clock: Clock): ReadonlyMap<string, JobEffect> =>
  new Map([
    ['decompose', decomposeEffect(clock)],
    ['verify', verifyEffect],
  ]);

/** The built-in agents by job type, each imported on first use. */
const builtIn: Readonly<Record<string, (needs: AgentNeeds) => Promise<BuiltInAgent>>> = {
  llm: async (needs) => (await import('./llm.js')).createLlmAgent(needs),
  decompose: async (needs) => (await import('./decompose.js')).createDecomposeAgent(needs),
  verify: async (needs) => (await import('./verify.js')).createVerifyAgent(needs),
  relay_step: async (needs) => (await import('./relay-step.js')).createRelayStepAgent(needs),
  generic: async () => (await import('./generic.js')).genericAgent,
  command: async (needs) => (await import('./command/index.js')).createCommandAgent(needs),
  ml_experiment: async ({ dataDir }) => (await import('./ml-experiment/index.js')).createMlExperiment({ dataDir }),
  backtest: async (needs) => (await import('./backtest/index.js')).createBacktest({ download: needs.priceDownload }),
};

/** Whether a job type is built in, so that no module can declare it. */
export const isBuiltIn = (type: string): boolean => Object.hasOwn(builtIn, type);

export function createAgents(needs: AgentNeeds): AgentRegistry {
  const loaded = new Map<string, Promise<BuiltInAgent>>();
  const names = Object.keys(builtIn);
  const modules = new Modules({ ...needs.modules, isReserved: isBuiltIn });
  const hosted = new Map(needs.modules.modules.map((module) => [module.path, module]));
  const lent = new LentVariables();

  function loadBuiltIn(type: string): Promise<BuiltInAgent> | undefined {
    const known = loaded.get(type) ?? (isBuiltIn(type) ? builtIn[type]?.(needs) : undefined);
    if (known) loaded.set(type, known);
    return known;
  }

  async function findModuleAgent(type: string): Promise<ModuleAgent> {
    const found = await modules.find(type);
    if ('agent' in found) return found.agent;
    throw unknownType(type, [...names, ...found.types], found.problems);
  }

  return {
    types: new Set(names),
    provides: [...[...needs.commands.keys()].map(commandCapability), ...modules.provides],

    async load(type, requires = null) {
      const module = requires?.startsWith(modulePrefix) ? requires.slice(modulePrefix.length) : undefined;
      // A process works on one job of a module at a time, and what it gives to one module is not for the next.
      lent.lend(hosted.get(module ?? '')?.variables ?? {});
      if (module !== undefined) return loadFrom(module, type);
      return (await loadBuiltIn(type)) ?? Promise.reject(unknownType(type, names, []));
    },

    async describe(type) {
      if (type === undefined) {
        const [own, theirs] = await Promise.all([Promise.all(names.map(loadBuiltIn)), modules.list()]);
        return { ...theirs, agents: [...own.flatMap((agent) => (agent ? describe(agent) : [])), ...theirs.agents] };
      }
      const agent = await loadBuiltIn(type);
      return { agents: [agent ? describe(agent) : await findModuleAgent(type)], problems: [] };
    },

    async check(type, payload) {
      const agent = await loadBuiltIn(type);
      if (!agent) return checkByModule(await findModuleAgent(type), payload);
      const checked = await checkPayload(agent.payload, payload);
      if ('problem' in checked) throw invalidPayload(type, checked.problem, checked.fields);
      const demands = { concurrency: agent.concurrency, timeoutSeconds: agent.timeoutSeconds };
      return { payload: checked.value as Json, demands: { ...demands, ...agent.demandsOf?.(checked.value) } };
    },

    close: () => modules.close(),
  };

  /** Returns the payload unchanged: the schema may transform it into values that JSON cannot hold, and the runner parses it again. */
  async function checkByModule(agent: ModuleAgent, payload: Json): Promise<CheckedPayload> {
    const answer = await modules.check(agent, payload);
    if (answer.kind === 'failed') throw cannotUse(agent, answer.reason);
    if (answer.kind === 'checked' && answer.problem !== undefined)
      throw invalidPayload(agent.type, answer.problem, answer.fields);
    const { module } = agent;
    const { concurrency, timeoutSeconds } = answer.agents.find(({ type }) => type === agent.type) ?? agent;
    const warnings = hosted
      .get(module)
      ?.missing.map((name) => `${name} is not set, which the config file gives to ${module}.`);
    return { payload, warnings, demands: { requires: `${modulePrefix}${module}`, concurrency, timeoutSeconds } };
  }
}

async function loadFrom(module: string, type: string): Promise<Agent> {
  const agents = await importAgents(module).catch((cause: unknown) => {
    throw cause instanceof RuntimeError ? cannotUse({ type, module }, cause.message) : cause;
  });
  const agent = agents.find((candidate) => candidate.type === type);
  if (!agent) throw cannotUse({ type, module }, `It exports no agent ${type} any more.`);
  return agent;
}

function describe({ type, description, concurrency, timeoutSeconds, payload }: Agent): AgentDescription {
  return { type, description, concurrency, timeoutSeconds, schema: describePayload(payload) };
}

function unknownType(type: string, known: readonly string[], problems: readonly ModuleProblem[]): RuntimeError {
  const broken = problems.map(({ module, reason }) => ` ${module} cannot be used: ${reason}`);
  return new RuntimeError(
    'not_found',
    `No agent runs jobs of type ${type}.${broken.join('')}`,
    `Known types: ${known.join(', ')}.`,
  );
}

function cannotUse({ type, module }: Pick<ModuleAgent, 'type' | 'module'>, reason: string): RuntimeError {
  return new RuntimeError('not_configured', `The module ${module} of the agent ${type} cannot be used. ${reason}`);
}

function invalidPayload(type: string, problem: string, fields: readonly FieldProblem[] = []): RuntimeError {
  return new RuntimeError(
    'invalid',
    `The payload is not what ${type} takes. ${problem}`,
    `Call list_agents with type ${type} to see its schema.`,
    { fields: fields.map(({ place, message }) => ({ place: place === '' ? 'payload' : `payload.${place}`, message })) },
  );
}
