import { expect, it } from 'vitest';
import { textWidth } from '../../src/cli/text-width.js';

it.each([
  ['', 0],
  ['plain', 5],
  ['日本語', 6],
  ['한국어', 6],
  ['ﾊﾝｶｸ', 4],
  ['ｆｕｌｌ', 8],
  ['e\u0301', 1],
  ['👩‍👩‍👧‍👦', 2],
  ['👍🏽', 2],
  ['🇨🇭', 2],
  ['…·', 2],
  ['\u200b', 0],
  ['\u202eabc', 3],
  ['\u001b[31mred\u001b[0m', 3],
  ['🏴󠁧󠁢󠁳󠁣󠁴󠁿', 2],
])('%j takes %i columns of a terminal', (text, columns) => {
  expect(textWidth(text)).toBe(columns);
});
