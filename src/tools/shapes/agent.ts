import { z } from 'zod';
import type { AgentDescription } from '../../agents/index.js';
import { toolsOfTypes } from '../../services/submit-job.js';

/** A type of job, and the agent that does it. */
export const agentOutput = z.strictObject({
  type: z.string(),
  description: z.string(),
  /** The tool that submits its jobs, where it is not submit_job. */
  submit_with: z.string().optional(),
  /** Names of what its payload takes. */
  payload: z.array(z.string()),
  /** How many of its jobs run at once, over all processes. */
  concurrency: z.int().optional(),
  /** How long one try may take unless its job says otherwise. */
  timeout_seconds: z.int().optional(),
  /** Absolute path, when it is one of the user's own. */
  module: z.string().optional(),
  /** What its payload takes, as JSON schema. */
  schema: z.unknown().optional(),
  note: z.string().optional(),
});

export const agentListOutput = z.strictObject({
  agents: z.array(agentOutput),
  supported_job_types: z.array(z.string()),
  /** Modules of the config file that cannot be used. */
  problems: z.array(z.strictObject({ module: z.string(), reason: z.string() })).optional(),
});

export type ShownAgents = z.infer<typeof agentListOutput>;

interface ShowOptions {
  /** Types that are always there. */
  builtIn: ReadonlySet<string>;
  /** With the schemas. */
  isWhole: boolean;
}

/** @internal */
export function showAgents(
  agents: readonly AgentDescription[],
  problems: readonly { module: string; reason: string }[],
  { builtIn, isWhole }: ShowOptions,
): ShownAgents {
  // First the user's own, then what people submit, then what has a tool of its own.
  const rank = ({ type, module }: AgentDescription) => (module ? 0 : toolsOfTypes[type] ? 2 : 1);
  const ranked = agents.toSorted((one, other) => rank(one) - rank(other));
  return {
    agents: ranked.map((agent) => showAgent(agent, isWhole)),
    supported_job_types: [...new Set([...ranked.map(({ type }) => type), ...builtIn])],
    problems: problems.length === 0 ? undefined : [...problems],
  };
}

function showAgent({ schema, timeoutSeconds, ...agent }: AgentDescription, isWhole: boolean) {
  return {
    ...agent,
    submit_with: toolsOfTypes[agent.type],
    payload: Object.keys((schema?.properties ?? {}) as object),
    timeout_seconds: timeoutSeconds,
    schema: isWhole ? schema : undefined,
    note: schema ? undefined : 'Its schema library makes no JSON schema; payloads are checked all the same.',
  };
}
