import { RuntimeError } from '../base/errors.js';
import type { JobEffect } from '../core/jobs/outcome.js';
import type { PriceDownload } from './backtest/price-download.js';
import { decomposeEffect } from './decompose.js';
import type { Agent } from './define-agent.js';
import type { ModelCallNeeds } from './model-call.js';

export interface AgentNeeds extends ModelCallNeeds {
  priceDownload: PriceDownload | undefined;
}

export interface AgentRegistry {
  /** Job types, with how many jobs of each may run at once. */
  readonly types: ReadonlyMap<string, number>;
  /** The agent of a type; its module is imported when it is first asked for. Throws `not_found`. */
  load(type: string): Promise<Agent>;
}

/** What completing a job of a type also does, in the same transaction. */
export const jobEffects: ReadonlyMap<string, JobEffect> = new Map([['decompose', decomposeEffect]]);

/** Every job type there is, by the module that runs it. */
export function createAgents(needs: AgentNeeds): AgentRegistry {
  const modules: Record<string, () => Promise<Agent>> = {
    llm: async () => (await import('./llm.js')).createLlmAgent(needs),
    decompose: async () => (await import('./decompose.js')).createDecomposeAgent(needs),
    relay_step: async () => (await import('./relay-step.js')).createRelayStepAgent(needs),
    generic: async () => (await import('./generic.js')).genericAgent,
    ml_experiment: async () => (await import('./ml-experiment/index.js')).createMlExperiment(),
    backtest: async () => (await import('./backtest/index.js')).createBacktest({ download: needs.priceDownload }),
  };
  const loaded = new Map<string, Promise<Agent>>();
  const names = Object.keys(modules);

  return {
    types: new Map(names.map((name) => [name, Number.POSITIVE_INFINITY])),
    load(type) {
      const module = modules[type];
      if (!module) {
        throw new RuntimeError('not_found', `No agent runs jobs of type ${type}.`, `Known types: ${names.join(', ')}.`);
      }
      const known = loaded.get(type) ?? module();
      loaded.set(type, known);
      return known;
    },
  };
}
