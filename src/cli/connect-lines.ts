import { isInNpxCache, npxLaunch, packageName, serverName } from './install/launch.js';
import { claudeAddLine } from './install/shell-lines.js';

/** What a person types to get here again: run from npx's cache, the program is not on the PATH. */
export const commandName = isInNpxCache(import.meta.url) ? `npx -y ${packageName}` : 'agent-runtime';

/** How to connect each client, for the help. */
export function connectLines(platform: NodeJS.Platform): string {
  const entry = JSON.stringify({ mcpServers: { [serverName]: npxLaunch(platform) } });
  return `Connect a client:
  Claude Code     ${claudeAddLine(platform, { scope: 'user' })}
  Claude Desktop  ${commandName} install --client claude-desktop
  Cursor          ${commandName} install --client cursor
  VS Code         ${commandName} install --client vscode
  any other       ${entry}

First steps:
  ${commandName} doctor
  ${commandName} tool create_goal --arg name="First goal" --arg description="What is to be reached"
`;
}
