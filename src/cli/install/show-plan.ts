import { commandName } from '../connect-lines.js';
import type { Paint } from '../output.js';
import { serverName } from './launch.js';
import type { ServerEntry } from './merge-server.js';
import { firstRun, type InstallPlan } from './plan-install.js';
import type { ClaudeScope } from './shell-lines.js';

/** What to do, in the order in which to do it. */
export function showPlan(plan: InstallPlan, scope: ClaudeScope | undefined, paint: Paint): string {
  const { app, file, entry, directEntry, lines, client } = plan;
  const json = (server: ServerEntry) => JSON.stringify({ [app.serversKey]: { [serverName]: server } }, null, 2);
  const line = lines.map((text) => `  ${text}`).join('\n');
  const parts = [paint('bold', `Connect ${app.title}`)];
  if (client === 'claude-code') parts.push(`Run:\n\n${line}`);
  if (client !== 'claude-code' || scope === undefined || scope === 'project') {
    const lead =
      client === 'claude-code' ? 'Or, for everyone who works in this project, put this into' : 'Put this into';
    parts.push(`${lead} ${file}\n(beside the servers that are there already):\n\n${json(entry)}`);
    if (directEntry) {
      parts.push(
        `${app.title} may not find npx, as it does not see your shell's PATH. With full paths:\n\n${json(directEntry)}`,
      );
    }
    parts.push(`To have it put in for you, after a backup:\n\n  ${commandName} install --client ${client} --write`);
  }
  if (client === 'cursor') parts.push(`Or open this link:\n\n${line}`);
  if (client === 'vscode') parts.push(`Or, for all projects:\n\n${line}`);
  parts.push(`Then: ${app.afterwards}`);
  parts.push(`Run \`${firstRun}\` once before, so that the client's first start has nothing left to download.`);
  return parts.join('\n\n');
}
