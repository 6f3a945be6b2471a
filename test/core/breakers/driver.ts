/** Does to breakers what it is told on stdin, a JSON line each, at the time that the line says; answers on stdout. */
import { createInterface } from 'node:readline';
import { createBreakers } from '../../../src/core/breakers/breakers.js';
import { openAt } from '../../support/open-at.js';
import { type Operation, perform } from './operation.js';

export interface Order {
  id: string;
  now: number;
  operation: Operation;
}

const [file = ''] = process.argv.slice(2);
let now = 0;
const clock = { now: () => now, tick: () => now, bootId: 'boot-1' };
const db = await openAt(file, clock.now);
const breakers = createBreakers({ db, clock });
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as Order;
  now = order.now;
  process.stdout.write(`${JSON.stringify(await perform(breakers, order.id, order.operation))}\n`);
}
db.close();
