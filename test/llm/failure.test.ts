import { expect, it } from 'vitest';
import { redact, redactedDetail } from '../../src/llm/failure.js';

it.each([
  ['Incorrect API key provided: sk-ant-api03-abc_DEF-123', 'Incorrect API key provided: [redacted]'],
  ['key AIzaSyD-1234567890abcdef', 'key [redacted]'],
  ['{"authorization":"Bearer abc.def.ghi.jkl"}', '{"authorization":"[redacted]"}'],
  ['GET https://ann:secret@host/v1?key=abc&x=1', 'GET https://[redacted]@host/v1?key=[redacted]&x=1'],
])('takes keys out of %s', (text, clean) => {
  expect(redact(text)).toBe(clean);
});

it.each(['task-management and disk-usage', 'The bearer of bad news', 'monkey=1', 'a token limit'])(
  'leaves %s readable',
  (text) => {
    expect(redact(text)).toBe(text);
  },
);

it('takes out a known value before it cuts, so that no half of it is left at the end', () => {
  const detail = redactedDetail(`${'x'.repeat(490)}gateway-key-1234567890`, ['gateway-key-1234567890']);
  expect(detail).not.toContain('gateway');
  expect(detail?.length).toBeLessThanOrEqual(500);
});

it('has nothing to say about blank words', () => {
  expect(redactedDetail(' \n ')).toBeUndefined();
});
