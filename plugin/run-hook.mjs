// Answers a hook: from the package that this plugin is part of, which is fast, or else through npx.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [event = ''] = process.argv.slice(2);
const main = new URL('../dist/main.js', import.meta.url);

if (existsSync(main)) {
  process.argv = [process.execPath, fileURLToPath(main), 'hook', event];
  await import(main.href);
} else if (event !== 'pre-tool-use' || mayBeReserved(process.env)) {
  const { status } = spawnSync('npx', ['-y', 'agent-runtime-mcp', 'hook', event], {
    stdio: 'inherit',
    // On Windows npx is a script that only a shell starts.
    shell: process.platform === 'win32',
  });
  // Never 2, by which Claude Code would hold back what the hook belongs to; before each edit no failure at all is shown.
  process.exitCode = status === 0 || event === 'pre-tool-use' ? 0 : 1;
}

/** Before each edit: npx takes half a second, which is not spent where nothing can be reserved. */
function mayBeReserved({ AGENT_RUNTIME_GUARD: mode, AGENT_RUNTIME_DB_URL: url, AGENT_RUNTIME_DB_PATH: path }) {
  return mode !== 'off' && Boolean(url || path || existsSync(join(homedir(), '.claude', 'agent_runtime.db')));
}
