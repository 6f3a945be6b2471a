import type { Implementation } from '@modelcontextprotocol/sdk/types.js';

/** The setting that leaves the choice of tools to the client's kind. */
export const chosenByClient = 'auto';

/**
 * Clients that put the schema of every tool into each request to their model, by the name that they give of themselves
 * (the list of `mcp-client-capabilities`, and sessions with Codex, opencode and Gemini CLI). Claude Code searches tools
 * and loads the schemas of those it needs; of a client that is not known, nothing is assumed.
 */
const sendsEverySchema =
  /^(amp-mcp-client|antigravity-client|cline|codex|codex-mcp-client|continue(-cli)?-client|crush|cursor(-vscode)?|factory-cli|gemini-cli-mcp-client.*|github-copilot-developer|goose|jan-.*|jetbrains-.*|kilo-code|kiro.*|librechat|@librechat\/api-client|lm-?studio.*|opencode|q-dev-cli|roo-code|visual[- ]studio[- ]code.*|warp.*|windsurf(-client)?|xcode-copilot-.*|zed)$/i;

/** The toolsets to list for a client: `core` if it would send all of them to its model again and again. */
export function toolsetsFor(setting: string, client: Implementation | undefined): string {
  if (setting.trim().toLowerCase() !== chosenByClient) return setting;
  return client && sendsEverySchema.test(client.name) ? 'core' : 'all';
}
