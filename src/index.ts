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
export { type ErrorCode, RuntimeError } from './base/errors.js';
export type { Json, JsonObject } from './base/json.js';
export { ModelError, type ModelFailure, type ModelParams, type ModelRequest, type ModelUsage } from './core/ports.js';
export type * from './library/agent-runtime.js';
export type * from './library/board.js';
export type * from './library/jobs.js';
export { openRuntime } from './library/open-runtime.js';
export { type CustomAnswer, type CustomProvider, defineProvider } from './llm/define-provider.js';
