import { completeId } from '../../core/overview/complete-id.js';
import type { ToolContext } from './define-tool.js';

/** The whole id of the job whose id, or the beginning of it, was given. Throws `invalid` where several begin so. */
export function wholeJobId({ runtime }: Pick<ToolContext, 'runtime'>, given: string): Promise<string> {
  return completeId(runtime.db, 'job', given);
}
