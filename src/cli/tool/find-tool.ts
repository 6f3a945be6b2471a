import { RuntimeError } from '../../base/errors.js';
import type { AnyTool } from '../../tools/call/define-tool.js';
import { chooseTools, type ToolChoice, whyMissing } from '../../tools/index.js';
import { commandName } from '../launch.js';

/** The tool of that name, if it is switched on. Throws `invalid` with similar names. */
export function findTool(name: string, choice: ToolChoice): AnyTool {
  const offered = chooseTools(choice);
  const tool = offered.find((candidate) => candidate.name === name);
  if (tool) return tool;
  const missing = whyMissing(name, choice);
  if (missing.why !== 'unknown') throw switchedOff(missing, choice);
  const near = missing.similar;
  throw new RuntimeError(
    'invalid',
    `There is no tool ${JSON.stringify(name)}.`,
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `\`${commandName} tool --list\` lists them.`,
  );
}

function switchedOff({ name, why }: { name: string; why: string }, { toolsets }: ToolChoice): RuntimeError {
  return why === 'read_only'
    ? new RuntimeError(
        'invalid',
        `The tool ${name} changes data, and only reading is allowed.`,
        'Leave out --read-only, or unset AGENT_RUNTIME_READ_ONLY.',
      )
    : new RuntimeError(
        'invalid',
        `The tool ${name} is not in the toolsets ${JSON.stringify(toolsets)}.`,
        'Use --toolsets all, or change AGENT_RUNTIME_TOOLSETS.',
      );
}
