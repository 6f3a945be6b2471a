import { expect, it } from 'vitest';
import { describeTool } from '../../src/mcp/call-tool.js';
import { chooseTools } from '../../src/tools/index.js';

const listed = (toolsets: string) => chooseTools({ toolsets, isReadOnly: false }).map(describeTool);
const sizeOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

it('the list of tools, which every session reads at its start, stays small', () => {
  const all = listed('all');
  const seenByModel = all.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));
  expect(sizeOf(all)).toBeLessThan(45_000);
  expect(sizeOf(seenByModel)).toBeLessThan(40_000);
  expect(sizeOf(listed('core'))).toBeLessThan(20_500);
});
