import { createInterface } from 'node:readline';

/** Orders from the test that started this program, a line each; a program that asks for none may end by itself. */
export function takeOrders(): AsyncIterator<string, undefined> {
  return createInterface({ input: process.stdin })[Symbol.asyncIterator]();
}

export function report(value: unknown): void {
  process.stdout.write(`${typeof value === 'string' ? value : JSON.stringify(value)}\n`);
}

/** Waits for an instant, epoch milliseconds, to the millisecond: the last of it awake. */
export function waitUntil(instant: number): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  while (Date.now() < instant - 2) Atomics.wait(pause, 0, 0, 1);
  while (Date.now() < instant);
}
