import { expect, it } from 'vitest';
import { chooseTools } from '../../../src/tools/index.js';
import { tempDir } from '../../support/temp-dir.js';
import { runCli } from '../run-cli.js';

it('lists every tool with its title under its toolset', async () => {
  const { code, stdout } = await runCli(['tool', '--list'], { home: tempDir() });
  expect(code).toBe(0);
  for (const { name, title } of chooseTools({ toolsets: 'all', isReadOnly: false })) {
    expect(stdout).toMatch(new RegExp(`^ {2}${name} +${title}$`, 'm'));
  }
  expect(stdout.indexOf('goals')).toBeLessThan(stdout.indexOf('background'));
});

it('lists the same as one JSON document', async () => {
  const { json, stderr } = await runCli(['tool', '--list', '--json'], { home: tempDir() });
  const all = chooseTools({ toolsets: 'all', isReadOnly: false });
  const { tools, count } = json();
  expect(count).toBe(all.length);
  expect(tools.map((tool: { name: string }) => tool.name)).toEqual(all.map((tool) => tool.name));
  expect(tools[0]).toMatchObject({ toolset: 'goals', effect: 'write' });
  expect(stderr).toBe('');
});

it('lists only what is switched on', async () => {
  const home = tempDir();
  const byFlags = await runCli(['tool', '--list', '--json', '--toolsets', 'background', '--read-only'], { home });
  const expected = chooseTools({ toolsets: 'background', isReadOnly: true }).map((tool) => tool.name);
  expect(byFlags.json().tools.map((tool: { name: string }) => tool.name)).toEqual(expected);
  const byEnvironment = await runCli(['tool', '--list', '--json'], {
    home,
    env: { AGENT_RUNTIME_TOOLSETS: 'background', AGENT_RUNTIME_READ_ONLY: '1' },
  });
  expect(byEnvironment.stdout).toBe(byFlags.stdout);
  const unknown = await runCli(['tool', '--list', '--toolsets', 'golas'], { home });
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('There is no toolset "golas".');
});
