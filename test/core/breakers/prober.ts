/** Takes and gives back probes of a half-open breaker, and prints when it held each: `FROM TO`, nanoseconds of the boot. */
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../../src/base/clock.js';
import { createBreakers } from '../../../src/core/breakers/breakers.js';
import { openAt } from '../../support/open-at.js';

const [file = '', rounds = '0'] = process.argv.slice(2);
const clock = systemClock();
const db = await openAt(file, clock.now);
const breakers = createBreakers({ db, clock });
for (let round = 0; round < Number(rounds); round++) {
  const { permit } = await breakers.acquire('llm:anthropic', { holder: `job:${process.pid}:${round}` });
  if (permit) {
    const from = process.hrtime.bigint();
    await sleep(Math.random() * 4);
    process.stdout.write(`${from} ${process.hrtime.bigint()}\n`);
    await breakers.release(permit);
  } else await sleep(Math.random() * 2);
}
db.close();
