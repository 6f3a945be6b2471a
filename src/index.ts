export { defineAgent } from './agents/define-agent.js';
export { defineProvider } from './llm/define-provider.js';
export { openRuntime, type Runtime } from './runtime.js';
