import { RuntimeError } from '../base/errors.js';

/** In the order in which clients list their tools. */
export const toolsetNames = [
  'goals',
  'coordination',
  'relay',
  'breakers',
  'background',
  'jobs',
  'tools',
  'system',
] as const;

export type ToolsetName = (typeof toolsetNames)[number];

/** What `core` stands for: enough to plan, to work and to hand work over. */
const coreToolsets: readonly ToolsetName[] = ['goals', 'background', 'system'];

export interface ToolChoice {
  /** `all`, `core`, or names with commas between. */
  toolsets: string;
  isReadOnly: boolean;
}

/** The toolsets that a choice names. Throws `invalid` for a name that there is not. */
export function chosenToolsets(wanted: string): ToolsetName[] {
  const chosen = new Set<ToolsetName>();
  for (const word of wanted
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)) {
    const known = toolsetNames.find((name) => name === word);
    if (word === 'all') for (const name of toolsetNames) chosen.add(name);
    else if (word === 'core') for (const name of coreToolsets) chosen.add(name);
    else if (known) chosen.add(known);
    else {
      throw new RuntimeError(
        'invalid',
        `There is no toolset ${JSON.stringify(word)}.`,
        `Set AGENT_RUNTIME_TOOLSETS to all, core, or some of ${toolsetNames.join(', ')}.`,
      );
    }
  }
  return toolsetNames.filter((name) => chosen.has(name));
}
