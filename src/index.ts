import { RuntimeError } from './base/errors.js';
import { complaintAboutNode } from './base/oldest-node.js';
import type { AgentRuntime, OpenOptions } from './library/agent-runtime.js';

export {
  type Agent,
  type AgentContext,
  AgentError,
  type AgentJob,
  type Artifact,
  type Dependency,
  defineAgent,
} from './agents/define-agent.js';
export type { StandardSchema } from './agents/payload-schema.js';
export { defineSink, type Sink, type SinkContext, type SinkEvent } from './agents/sinks/define-sink.js';
export { type ErrorCode, RuntimeError } from './base/errors.js';
export type { Json, JsonObject } from './base/json.js';
export { ModelError, type ModelFailure, type ModelParams, type ModelRequest, type ModelUsage } from './core/ports.js';
export type * from './library/agent-runtime.js';
export type * from './library/board.js';
export type * from './library/jobs.js';
export { type CustomAnswer, type CustomProvider, defineProvider } from './llm/define-provider.js';

/**
 * Opens the runtime for this program, as a session of its own: what it claims is renewed while it is open, and another
 * cannot write to it. Needs no server. Background work is done by detached processes that this starts.
 *
 * @throws RuntimeError `invalid` for a setting that is wrong, `unavailable` when the database cannot be used or Node is too old
 */
export async function openRuntime(options: OpenOptions = {}): Promise<AgentRuntime> {
  const complaint = complaintAboutNode();
  if (complaint) throw new RuntimeError('unavailable', complaint, 'Install a newer one from https://nodejs.org.');
  // Agents and providers import this module too, and need nothing of what is behind it.
  const { openForProgram } = await import('./library/open-for-program.js');
  return openForProgram(options);
}
