// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the config file's own placeholder.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { odd } from '../../downstream/tool-runtime.js';
import { tempDir } from '../../support/temp-dir.js';
import { runCli } from '../run-cli.js';

it('doctor says which tool servers could not be started, and starts none', async () => {
  const home = tempDir();
  mkdirSync(join(home, '.claude'));
  const mcpServers = {
    good: odd(),
    gone: { command: 'no-such-command-anywhere' },
    unset: odd({ env: { TOKEN: '${NOT_SET}' } }),
    web: { url: 'http://127.0.0.1:9/mcp?key=secret' },
  };
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ mcpServers }));
  const { json, stdout } = await runCli(['doctor', '--json'], { home });
  const checks = json().checks.filter(({ group }: { group: string }) => group === 'Tool servers');
  expect(checks.map(({ name, status }: { name: string; status: string }) => [name, status])).toEqual([
    ['good', 'ok'],
    ['gone', 'warn'],
    ['unset', 'warn'],
    ['web', 'ok'],
  ]);
  expect(checks[2].detail).toContain('NOT_SET');
  expect(stdout).not.toContain('secret');
});
