import { expect, it } from 'vitest';
import { RuntimeError, reportError } from '../../src/base/errors.js';

it('an unknown error is reported as internal', () => {
  expect(reportError(new Error('x')).code).toBe('internal');
  expect(reportError(new RuntimeError('invalid', 'x'))).toEqual({ code: 'invalid', message: 'x' });
});
