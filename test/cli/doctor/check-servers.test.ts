// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the config file's own placeholder.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { odd } from '../../downstream/tool-runtime.js';
import { freePort } from '../../support/free-port.js';
import { tempDir } from '../../support/temp-dir.js';
import { runCli } from '../run-cli.js';

const script = (code: string) => ({ command: process.execPath, args: ['-e', code] });

it('doctor tries the tool servers side by side, says why one is down, and leaves nothing behind', async () => {
  const home = tempDir();
  const pids = join(home, 'pids');
  mkdirSync(join(home, '.claude'));
  const note = `require('fs').appendFileSync(${JSON.stringify(pids)}, process.pid + '\\n');`;
  // Each of them ends only when the other has been started.
  const meets = `${note} setInterval(() => { if (require('fs').readFileSync(${JSON.stringify(pids)}, 'utf8').split('\\n').length > 2) process.exit(3) }, 20)`;
  const mcpServers = {
    good: odd({ startTimeout: 60_000 }),
    broken: {
      ...script("console.error('fatal: cannot find my config, key sk-abcdefgh12345678'); process.exit(7)"),
      startTimeout: 60_000,
    },
    one: { ...script(meets), startTimeout: 60_000 },
    two: { ...script(meets), startTimeout: 60_000 },
    hung: { ...script('process.stdin.resume(); setInterval(() => {}, 1000)'), startTimeout: 500 },
    gone: { command: 'no-such-command-anywhere' },
    unset: odd({ env: { TOKEN: '${NOT_SET}' } }),
    web: { url: `http://127.0.0.1:${await freePort()}/mcp?key=secret` },
    off: odd({ disabled: true }),
  };
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ mcpServers }));
  const { json, stdout } = await runCli(['doctor', '--json'], { home });
  const checks = json().checks.filter(({ group }: { group: string }) => group === 'Tool servers');
  const found = Object.fromEntries(
    checks.map(({ name, status, detail }: { name: string; status: string; detail: string }) => [
      name,
      [status, detail],
    ]),
  );
  expect(found).toEqual({
    good: ['ok', expect.stringMatching(/^\d+ tools, in \d+ ms$/)],
    broken: [
      'warn',
      'it ended with exit code 7 before it was ready\nit wrote: fatal: cannot find my config, key [redacted]',
    ],
    one: ['warn', 'it ended with exit code 3 before it was ready'],
    two: ['warn', 'it ended with exit code 3 before it was ready'],
    hung: ['warn', 'it was not ready within 0.5 s'],
    gone: ['warn', 'its command no-such-command-anywhere is not found'],
    unset: ['warn', expect.stringContaining('NOT_SET')],
    web: ['warn', 'it could not be reached (ECONNREFUSED)'],
    off: ['ok', 'it is switched off in the config file'],
  });
  expect(stdout).not.toContain('secret');
  expect(existsSync(join(home, '.claude', 'agent_runtime'))).toBe(false);
});
