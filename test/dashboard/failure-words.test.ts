import { expect, it } from 'vitest';
import { CallFailed } from '../../src/dashboard/api.js';
import { failureWords } from '../../src/dashboard/ui/failure-words.js';
import { describeInBrowser, openPage } from './open-page.js';

it.each([
  [
    'the hint for a model gives way to what a person can do',
    new CallFailed('not_found', 'No task has id 12.', 'Call list_tasks to see the tasks there are.'),
    'No task has id 12. It may have been deleted, or the address is wrong.',
  ],
  [
    'sentences for a model within the message go',
    new CallFailed('invalid', 'It is too long. Fix the call of get_goal and repeat it.', undefined),
    'It is too long. Correct it and try again.',
  ],
  [
    'arguments are named as people read them',
    new CallFailed('invalid', 'max_attempts: expected whole number (got "x").', 'max_attempts: Tries; 3.', [
      { place: 'max_attempts', message: 'Expected whole number.' },
    ]),
    'Max attempts: expected whole number. Correct it and try again.',
  ],
  [
    'what to set, and a command of the shell, stay',
    new CallFailed('not_configured', 'No model is set up', 'Set ANTHROPIC_API_KEY, or run `agent-runtime doctor`.'),
    'No model is set up. Set ANTHROPIC_API_KEY, or run `agent-runtime doctor`.',
  ],
  ['anything else says what it says', new TypeError('Failed to fetch'), 'Failed to fetch'],
])('a failure in words for people: %s', (_, error, words) => {
  expect(failureWords(error)).toBe(words);
});

describeInBrowser('an address that names nothing', () => {
  it('is explained to a person, without the names of tools', async () => {
    const { page, open } = await openPage('/');
    for (const path of ['/jobs/none', '/relays/none', '/board/task/999', '/goals/none', '/breakers/x?before=%00']) {
      await open(path);
      await page.locator('main .problem, main .empty, main article').first().waitFor();
      const text = (await page.locator('main').textContent()) ?? '';
      expect(text, path).not.toMatch(/\b(get|list|create|update|call)_\w+|Call |Nothing was done/);
    }
  });
});
