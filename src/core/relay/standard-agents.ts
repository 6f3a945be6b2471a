/** How a step makes its output out of its input (W3C PROV speaks of derivations). */
export const derivationMethods = [
  'inference',
  'extraction',
  'synthesis',
  'citation',
  'transformation',
  'validation',
] as const;
export type DerivationMethod = (typeof derivationMethods)[number];

/** What an agent does unless its step says otherwise. */
export interface AgentSpec {
  mission: string;
  /** What its output is called in the baton. */
  outputType: string;
  maxTokens: number;
  /** From 0 to 1: below it, its output does not pass. */
  qualityThreshold: number;
  derivationMethod: DerivationMethod;
  capabilities: readonly string[];
}

export const defaultLScoreThreshold = 0.3;
export const defaultTokenBudget = 100_000;

/** Any agent that has no entry of its own. */
const general: AgentSpec = {
  mission: 'Do your part of the goal as your name and your instructions say, from the input you were handed.',
  outputType: 'analysis',
  maxTokens: 4_000,
  qualityThreshold: 0.6,
  derivationMethod: 'inference',
  capabilities: [],
};

const expert: AgentSpec = {
  mission: 'Judge the work as an expert of its field: correct it, add what only an expert knows, and finish it.',
  outputType: 'expert_analysis',
  maxTokens: 5_000,
  qualityThreshold: 0.7,
  derivationMethod: 'inference',
  capabilities: ['domain_knowledge', 'reasoning'],
};

const standardAgents: ReadonlyMap<string, AgentSpec> = new Map([
  [
    'researcher',
    {
      mission: 'Gather what is known about the goal. Name the source of each fact and say how far it can be trusted.',
      outputType: 'research_findings',
      maxTokens: 6_000,
      qualityThreshold: 0.6,
      derivationMethod: 'extraction',
      capabilities: ['web_search', 'memory_search', 'document_analysis'],
    },
  ],
  [
    'analyzer',
    {
      mission: 'Analyze what was gathered: patterns, causes, contradictions, and what follows from them.',
      outputType: 'analysis',
      maxTokens: 5_000,
      qualityThreshold: 0.7,
      derivationMethod: 'inference',
      capabilities: ['pattern_detection', 'reasoning', 'synthesis'],
    },
  ],
  [
    'synthesizer',
    {
      mission: 'Join the findings into coherent conclusions, the most important first.',
      outputType: 'synthesis',
      maxTokens: 4_000,
      qualityThreshold: 0.7,
      derivationMethod: 'synthesis',
      capabilities: ['summarization', 'integration', 'conclusion_drawing'],
    },
  ],
  [
    'validator',
    {
      mission: 'Check each conclusion against its sources: is it true, does it follow, is anything missing?',
      outputType: 'validation_report',
      maxTokens: 3_000,
      qualityThreshold: 0.8,
      derivationMethod: 'validation',
      capabilities: ['fact_checking', 'logic_validation', 'source_verification'],
    },
  ],
  [
    'formatter',
    {
      mission: 'Give the result the form in which it is to be delivered, without changing what it says.',
      outputType: 'formatted_output',
      maxTokens: 4_000,
      qualityThreshold: 0.6,
      derivationMethod: 'transformation',
      capabilities: ['formatting', 'editing'],
    },
  ],
  ['expert', expert],
  ['domain_expert', expert],
  [
    'cross_validator',
    {
      mission: 'Compare the conclusions with each other and with independent sources; list where they disagree.',
      outputType: 'validation_matrix',
      maxTokens: 4_000,
      qualityThreshold: 0.8,
      derivationMethod: 'validation',
      capabilities: ['fact_checking', 'comparison'],
    },
  ],
  ['generalist', general],
]);

export const standardAgentTypes: readonly string[] = [...standardAgents.keys()];

/** The name of a standard agent, however it is written (`Researcher`, `domain-expert`); any other name as it is. */
export function standardSpelling(name: string): string {
  const spelled = name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');
  return standardAgents.has(spelled) ? spelled : name;
}

export const isStandardAgent = (type: string): boolean => standardAgents.has(type);

export const agentSpecOf = (type: string): AgentSpec => standardAgents.get(type) ?? general;

/** Ready-made sequences of agents. */
export const presets = {
  quick: ['researcher', 'synthesizer', 'formatter'],
  standard: ['researcher', 'analyzer', 'synthesizer', 'validator', 'formatter'],
  deep: ['researcher', 'domain_expert', 'analyzer', 'synthesizer', 'validator', 'cross_validator', 'formatter'],
} as const satisfies Record<string, readonly string[]>;

export type Preset = keyof typeof presets;
export const presetNames = Object.keys(presets) as Preset[];
