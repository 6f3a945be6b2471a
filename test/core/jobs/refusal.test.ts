import { describe, expect, it } from 'vitest';
import { whyNoResult } from '../../../src/core/jobs/refusal.js';

describe('an answer that is no result', () => {
  it.each([
    ['', 'The model gave an empty answer.'],
    [' \n\t', 'The model gave an empty answer.'],
    ['{"model":"claude-sonnet-5-5","stop_reason":"end_turn"}', "The answer is the runtime's own record"],
    ['{ "stop_reason": "end_turn", "model": "m" }', "The answer is the runtime's own record"],
    ['CANNOT: no repo', 'The model could not do it: no repo'],
    ['Cannot: no repo', 'The model could not do it: no repo'],
    ['**CANNOT:** no repo', 'The model could not do it: no repo'],
    ['**Cannot**: no repo', 'The model could not do it: no repo'],
    ['# CANNOT\n\nno repo', 'The model could not do it: no repo'],
    ['# CANNOT: no repo', 'The model could not do it: no repo'],
    ['`CANNOT: no repo`', 'The model could not do it: no repo'],
    ['```\nCANNOT: no repo\n```', 'The model could not do it: no repo'],
    ['> CANNOT: no repo', 'The model could not do it: no repo'],
    ['CANNOT do it', 'The model could not do it: do it'],
    ['FAILED: I cannot see the file', 'The model could not do it: FAILED: I cannot see the file'],
    ['**FAILED:** unable to see it', 'The model could not do it: FAILED:** unable to see it'],
    ["I'm unable to open the file.", "The model could not do it: I'm unable to open"],
    ['I\u2019m unable to open the file.', "The model could not do it: I'm unable to open"],
    ['I am not able to do this.', 'The model could not do it: I am not able'],
    ["I'm sorry, but I can't help with that.", 'The model could not do it: '],
    ['Unfortunately, I cannot access the repository.', 'The model could not do it: '],
    ['Sorry, I could not find the file.', 'The model could not do it: '],
  ])('%j', (answer, reason) => {
    expect(whyNoResult(answer)).toContain(reason);
  });
});

it.each([
  'Done.',
  '0',
  '{"model":"m","stop_reason":"end_turn","more":1}',
  'CANNOT_OPEN is the most frequent error code.',
  'Cannot open file errors come from the missing mount.',
  'I cannot praise this book enough.',
  "I can't believe it's not butter, the story goes.",
  'FAILED: 3 of 120 tests; the log is below.',
  'The report. What I cannot do is listed at the end.',
  'Unable was I ere I saw Elba',
])('%j is an answer', (answer) => {
  expect(whyNoResult(answer)).toBeUndefined();
});
