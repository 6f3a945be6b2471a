/**
 * A signal that aborts after a time, with the same error as that of `AbortSignal.timeout`, and keeps no process alive.
 * Its timer holds it: Node 20 may collect an `AbortSignal.timeout` that is only a part of an `AbortSignal.any`, which then
 * waits for ever.
 */
export function timeoutSignal(ms: number): AbortSignal {
  const ending = new AbortController();
  setTimeout(() => ending.abort(new DOMException(`It took longer than ${ms} ms.`, 'TimeoutError')), ms).unref();
  return ending.signal;
}
