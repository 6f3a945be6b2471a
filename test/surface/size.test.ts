import { expect, it } from 'vitest';
import { describeTool } from '../../src/mcp/call-tool.js';
import { chooseTools } from '../../src/tools/index.js';
import { measureAnswers } from './answers.js';

const sizeOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

function listed(toolsets: string): { wire: number; seenByModel: number } {
  const tools = chooseTools({ toolsets, isReadOnly: false }).map(describeTool);
  const seen = tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));
  return { wire: sizeOf(tools), seenByModel: sizeOf(seen) };
}

/** `npm run sizes` prints what the tests measure as tables; the sizes before are those of version 0.1.0. */
function print(rows: readonly (readonly (string | number | undefined)[])[]): void {
  if (!process.env.SHOW_SIZES) return;
  process.stdout.write(rows.map((row) => `| ${row.map((cell) => cell ?? '').join(' | ')} |\n`).join(''));
}

it('the list of tools, which every session reads at its start, stays small', () => {
  const [all, core] = [listed('all'), listed('core')];
  print([
    ['list of tools', 'bytes before', 'bytes', 'seen by a model before', 'seen by a model'],
    ['all', 78_983, all.wire, 67_350, all.seenByModel],
    ['core', 36_170, core.wire, undefined, core.seenByModel],
  ]);
  expect(all.wire).toBeLessThan(45_000);
  expect(all.seenByModel).toBeLessThan(40_000);
  expect(core.wire).toBeLessThan(16_000);
});

it('the answers that sessions read most are short, and a page of a long list shows thirty of its items', async () => {
  const answers = await measureAnswers();
  print([
    ['answer', 'characters before', 'characters', 'rows', 'limit'],
    ...answers.map(({ call, before, now, rows, limit }) => [call, before, now, rows, limit]),
  ]);
  expect(answers.filter(({ now, limit }) => now >= limit)).toEqual([]);
  const rows = new Map(answers.map(({ call, rows }) => [call, rows]));
  for (const list of ['list_tasks', 'list_tasks (ready)', 'list_tasks (blocked)', 'list_goals']) {
    expect(rows.get(list), list).toBeGreaterThanOrEqual(30);
  }
  // The ids of jobs have 36 characters, so that fewer fit.
  for (const list of ['list_jobs', 'list_relay_pipelines']) expect(rows.get(list), list).toBeGreaterThanOrEqual(20);
});
