import { expect, it } from 'vitest';
import { RuntimeError, reportError } from '../../src/base/errors.js';

it('an unknown error is reported as internal', () => {
  expect(reportError(new Error('x')).code).toBe('internal');
  expect(reportError(new RuntimeError('invalid', 'x'))).toEqual({ code: 'invalid', message: 'x' });
});

it.each([
  ['EMFILE', 'ulimit -n'],
  ['ENFILE', 'open no more files'],
  ['EAGAIN', 'ulimit -u'],
  ['ENOMEM', 'no memory left'],
])('what the machine has none left of (%s) is unavailable, with what to do', (code, words) => {
  const error = Object.assign(new Error(`${code}: open '/x'`), { code });
  expect(reportError(error)).toEqual({
    code: 'unavailable',
    message: `${code}: open '/x'`,
    hint: expect.stringContaining(words),
  });
});
