import { expect, it } from 'vitest';
import { renderHelp } from '../../../src/cli/tool/show-tool.js';
import { chooseTools } from '../../../src/tools/index.js';
import { tempDir } from '../../support/temp-dir.js';
import { runCli } from '../run-cli.js';

const tools = chooseTools({ toolsets: 'all', isReadOnly: false });
const plain = (_format: unknown, text: string) => text;

it.each(tools)('explains $name and every argument of it', (tool) => {
  const help = renderHelp(tool, 80, plain);
  expect(help).toContain(tool.title);
  for (const name of Object.keys(tool.input.shape)) expect(help).toMatch(new RegExp(`^ {2}${name}  \\S`, 'm'));
  expect(help).not.toMatch(/undefined|any JSON or|\[object/);
  for (const line of help.split('\n').filter((text) => !text.startsWith('Usage') && text.startsWith('      '))) {
    expect(line.length).toBeLessThanOrEqual(80);
  }
});

it('shows the type of each argument, whether it is required, and its default', async () => {
  const { code, stdout } = await runCli(['tool', 'decompose_goal', '--help'], { home: tempDir() });
  expect(code).toBe(0);
  expect(stdout).toContain('Usage: agent-runtime tool decompose_goal --arg goal_id=NUMBER');
  expect(stdout).toMatch(/goal_id {2}whole number, required/);
  expect(stdout).toMatch(/strategy {2}sequential\|parallel\|hierarchical, by default "sequential"/);
  expect(stdout).toMatch(/max_tasks {2}whole number, 1 to 100, by default 8/);
  expect(stdout).toMatch(/ {4}tasks\[\]\.title {2}text, required/);
});

it('gives the schema itself as JSON', async () => {
  const { json } = await runCli(['tool', 'create_goal', '--help', '--json'], { home: tempDir() });
  expect(json()).toMatchObject({ name: 'create_goal', effect: 'write', input: { required: ['name', 'description'] } });
});
