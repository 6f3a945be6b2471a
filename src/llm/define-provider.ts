import type { ModelRequest, ModelUsage } from '../core/ports.js';

/** The answer of your own provider. Only the text is required. */
export interface CustomAnswer {
  text: string;
  /** The model that answered; by default the requested one. */
  model?: string;
  /** `end_turn`, `max_tokens`, or a word of your own; `end_turn` by default. */
  stopReason?: string;
  /** Tokens, counted by the budget; none by default. */
  usage?: ModelUsage;
  warnings?: string[];
}

export interface CustomProvider {
  /**
   * Answers one prompt. Call `request.onText` for pieces as they come, and stop when `request.signal` aborts.
   * Throw an error named `ModelError` with a `failure` (see `core/ports.ts`) to say whether a retry helps; any other
   * error fails the call for good.
   */
  complete(request: ModelRequest): Promise<CustomAnswer>;
}

/**
 * Declares a provider of your own: the default export of a module that the config names by absolute path, used as the
 * model `custom:NAME`, or `custom:NAME:MODEL` for one of its models.
 *
 * @example
 * // ~/.claude/providers/echo.mjs, in the config as { "providers": { "custom": { "echo": "/home/me/.claude/providers/echo.mjs" } } }
 * import { defineProvider } from 'agent-runtime-mcp';
 *
 * export default defineProvider({
 *   async complete({ prompt, model, signal }) {
 *     const response = await fetch('http://localhost:9000/generate', {
 *       method: 'POST',
 *       body: JSON.stringify({ model, prompt }),
 *       signal,
 *     });
 *     return { text: await response.text() };
 *   },
 * });
 */
export function defineProvider(provider: CustomProvider): CustomProvider {
  return provider;
}
