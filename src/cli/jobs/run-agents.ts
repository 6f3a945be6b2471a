import { agentListOutput } from '../../tools/jobs.js';
import type { GlobalFlags } from '../global-flags.js';
import type { Output } from '../output.js';
import { withCaller } from '../tool/with-caller.js';
import { wrap } from '../tool/wrap.js';
import { settingOf } from '../with-runtime.js';
import { callFor } from './job-tool.js';

/** The job types there are, for programs in the shape of the earlier job server; one of them with its whole schema. */
export async function runAgents(type: string | undefined, flags: GlobalFlags, output: Output): Promise<void> {
  const { agents, supported_job_types, ...rest } = await withCaller(settingOf(flags), flags, output, (caller) =>
    callFor(caller, 'list_agents', { type }, agentListOutput),
  );
  if (flags.isJson || !output.isTerminal) {
    output.printJson({ registered_agents: supported_job_types.length, supported_job_types, agents, ...rest });
    return;
  }
  const width = process.stdout.columns || 100;
  for (const agent of agents) {
    output.print(output.paint('bold', agent.type));
    output.quote(wrap(agent.description, width, '  '));
    if (agent.payload.length > 0) output.quote(wrap(`payload: ${agent.payload.join(', ')}`, width, '  '));
    if (agent.schema !== undefined) output.printJson(agent.schema);
  }
}
