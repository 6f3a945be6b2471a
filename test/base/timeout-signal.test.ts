import { expect, it } from 'vitest';
import { timeoutSignal } from '../../src/base/timeout-signal.js';
import { collectMemory } from '../support/collect-memory.js';

it('aborts after its time, also if nothing but a signal that follows it and another is held', async () => {
  const error = await new Promise((resolve) => {
    const either = AbortSignal.any([new AbortController().signal, timeoutSignal(500)]);
    either.addEventListener('abort', () => resolve(either.reason));
    void collectMemory();
  });
  expect(error).toMatchObject({ name: 'TimeoutError', message: 'It took longer than 500 ms.' });
});
