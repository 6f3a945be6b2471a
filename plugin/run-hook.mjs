// Answers a hook: from the package that this plugin is part of, which is fast, or else through npx.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const args = ['hook', ...process.argv.slice(2)];
const main = new URL('../dist/main.js', import.meta.url);

if (existsSync(main)) {
  process.argv = [process.execPath, fileURLToPath(main), ...args];
  await import(main.href);
} else {
  const { status } = spawnSync('npx', ['-y', 'agent-runtime-mcp', ...args], {
    stdio: 'inherit',
    // On Windows npx is a script that only a shell starts.
    shell: process.platform === 'win32',
  });
  // Never 2, by which Claude Code would hold back what the hook belongs to.
  process.exitCode = status === 0 ? 0 : 1;
}
