import { cpSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { mainEntry } from '../../support/paths.js';
import { tempDir } from '../../support/temp-dir.js';
import { runCli } from '../run-cli.js';

/** Newer Nodes have a driver of their own. */
const canLackDriver = process.getBuiltinModule?.('node:sqlite') === undefined;

/** The program without the driver that it brings along, outside of every node_modules. */
function withoutDriver(): { home: string; entry: string } {
  const directory = tempDir();
  cpSync(dirname(mainEntry), join(directory, 'dist'), { recursive: true });
  rmSync(join(directory, 'dist', 'sqlite'), { recursive: true });
  return { home: tempDir(), entry: join(directory, 'dist', 'main.js') };
}

it.runIf(canLackDriver)('says how to install the driver, and checks the rest', async () => {
  const place = withoutDriver();
  const { code, json, stderr } = await runCli(['doctor', '--json'], place);
  expect([code, stderr]).toEqual([1, '']);
  const failing = json().checks.filter((check: { status: string }) => check.status === 'fail');
  expect(failing).toEqual([
    {
      group: 'Runtime',
      name: 'driver',
      status: 'fail',
      detail: expect.stringContaining('No SQLite driver loads on Node'),
      fix: expect.stringContaining('npm install'),
    },
  ]);
  expect(json().checks.map((check: { group: string }) => check.group)).toContain('Models');
  expect(readdirSync(place.home)).toEqual([]);
});

it.runIf(canLackDriver)('fails with the same words when a tool is called, and still lists the tools', async () => {
  const place = withoutDriver();
  const call = await runCli(['tool', 'list_tasks'], place);
  expect([call.code, call.stdout]).toEqual([1, '']);
  expect(call.stderr).toMatch(/^error: No SQLite driver loads on Node .*\nhint: Install it again: npm install .*\n$/);
  expect((await runCli(['tool', '--list'], place)).code).toBe(0);
});

it("names commands as they can be typed when it runs from npx's cache", async () => {
  const cache = join(tempDir(), '_npx', '0a1b', 'dist');
  cpSync(dirname(mainEntry), cache, { recursive: true });
  const { stdout } = await runCli(['doctor'], { home: tempDir(), entry: join(cache, 'main.js') });
  expect(stdout).toContain('-> Run: npx -y agent-runtime-mcp install\n');
});
