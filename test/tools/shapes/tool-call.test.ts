import { expect, it } from 'vitest';
import { showCall } from '../../../src/tools/shapes/tool-call.js';

const outcome = { tool: 's.t', source: 'primary' as const, instance: 's#1', attempts: [] };
const text = (value: string) => [{ type: 'text', text: value }];

it('a structure that stands as text beside it is given once', () => {
  const structuredContent = { found: [{ name: 'Ada', born: 1815 }] };
  const same = showCall(
    { ...outcome, result: { content: text(JSON.stringify(structuredContent, null, 2)), structuredContent } },
    1_000,
  );
  expect(same.result).toEqual({ content: text(JSON.stringify(structuredContent, null, 2)) });
  for (const content of [text('Found Ada.'), text('{"found": []}'), [...text('{}'), ...text('more')]]) {
    expect(showCall({ ...outcome, result: { content, structuredContent } }, 1_000).result).toEqual({
      content,
      structuredContent,
    });
  }
  expect(showCall({ ...outcome, result: { structuredContent } }, 1_000).result).toEqual({ structuredContent });
});
