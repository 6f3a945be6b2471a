import { RuntimeError } from '../base/errors.js';
import { similarNames } from '../base/text.js';
import { nativeTools } from '../downstream/native/index.js';
import { backgroundTools } from './background.js';
import { breakerTools } from './breakers.js';
import type { AnyTool } from './call/define-tool.js';
import { coordinationTools } from './coordination.js';
import { dashboardTools } from './dashboard.js';
import { goalTools } from './goals.js';
import { jobTools } from './jobs.js';
import { messageTools } from './messages.js';
import { metricTools } from './metrics.js';
import { nativeTool } from './native.js';
import { relayTools } from './relay.js';
import { reservationTools } from './reservations.js';
import { runGoalTools } from './run-goal.js';
import { scheduleTools } from './schedules.js';
import { systemTools } from './system.js';
import { taskTools } from './tasks.js';
import { templateTools } from './templates.js';
import { toolTools } from './tools.js';
import { verifyTools } from './verify.js';
import { worktreeTools } from './worktrees.js';

/** The tools by toolset, in the order in which clients list them. */
export const toolsets = {
  goals: [...goalTools, ...taskTools, ...verifyTools, ...templateTools, ...runGoalTools],
  coordination: [...coordinationTools, ...messageTools, ...reservationTools, ...worktreeTools],
  relay: relayTools,
  breakers: breakerTools,
  background: backgroundTools,
  jobs: [...jobTools, ...scheduleTools],
  tools: [...toolTools, ...nativeTools.map(nativeTool)],
  system: [...systemTools, ...metricTools, ...dashboardTools],
} as const satisfies Record<string, readonly AnyTool[]>;

export type ToolsetName = keyof typeof toolsets;

/** What each toolset is for. */
export const toolsetPurposes: Readonly<Record<ToolsetName, string>> = {
  goals: 'plan, claim and complete work that outlives the session',
  coordination: 'several workers on one board, each with a slot',
  relay: 'agents in sequence, each with quality gates',
  breakers: 'stop calling what fails, try again later',
  background: 'prompts that run without the session',
  jobs: 'training, backtests, commands, agents of your own',
  tools: 'tools of other MCP servers that stay up, and search',
  system: 'what is going on, history, backup, metrics',
};

const allTools = (): AnyTool[] => Object.values(toolsets).flat();

/** The tool of this name, whatever is chosen. Throws `not_found`. */
export function findTool(name: string): AnyTool {
  const tool = allTools().find((candidate) => candidate.name === name);
  if (tool) return tool;
  const near = similarNames(
    name,
    allTools().map((candidate) => candidate.name),
  );
  const hint = near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'The README lists the tools.';
  throw new RuntimeError('not_found', `There is no tool ${JSON.stringify(name)}.`, hint);
}

/** What `core` stands for: enough to plan, to work and to hand work over. */
const coreToolsets: readonly ToolsetName[] = ['goals', 'background', 'system'];

export interface ToolChoice {
  /** `all`, `core`, or names with commas between; `auto` is all, of which a face may list fewer. */
  toolsets: string;
  isReadOnly: boolean;
}

/** The tools to offer: first those of the chosen toolsets, then of these the reading ones if no others are wanted. */
export function chooseTools({ toolsets: wanted, isReadOnly }: ToolChoice): AnyTool[] {
  const chosen = chosenToolsets(wanted).flatMap((name): readonly AnyTool[] => toolsets[name]);
  return chosen.filter((tool) => !isReadOnly || tool.effect === 'read');
}

/** Why a tool is not offered: another choice leaves it out, or there is no tool of that name, but perhaps similar ones. */
export type Missing = { name: string; why: 'read_only' | 'not_chosen' } | { why: 'unknown'; similar: string[] };

/** Why no tool of that name is offered; one of the same letters (`createTask`) is taken for the one that is meant. */
export function whyMissing(name: string, choice: ToolChoice): Missing {
  const offered = chooseTools(choice).map((tool) => tool.name);
  const all = allTools().map((tool) => tool.name);
  const similar = similarNames(name, offered);
  const [meant] = all.includes(name) ? [name] : similar.length > 0 ? [] : similarNames(name, all);
  if (meant === undefined) return { why: 'unknown', similar };
  const isChosen = chooseTools({ ...choice, isReadOnly: false }).some((tool) => tool.name === meant);
  return { name: meant, why: choice.isReadOnly && isChosen ? 'read_only' : 'not_chosen' };
}

export function chosenToolsets(wanted: string): ToolsetName[] {
  const names = Object.keys(toolsets) as ToolsetName[];
  const chosen = new Set<ToolsetName>();
  for (const word of wanted
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)) {
    const known = names.find((name) => name === word);
    if (word === 'all' || word === 'auto') for (const name of names) chosen.add(name);
    else if (word === 'core') for (const name of coreToolsets) chosen.add(name);
    else if (known) chosen.add(known);
    else {
      throw new RuntimeError(
        'invalid',
        `There is no toolset ${JSON.stringify(word)}.`,
        `Set AGENT_RUNTIME_TOOLSETS to auto, all, core, or some of ${names.join(', ')}.`,
      );
    }
  }
  return names.filter((name) => chosen.has(name));
}
