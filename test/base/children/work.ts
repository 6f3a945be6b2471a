// Works for a quarter of a second within a deadline of a half, and says when it begins and what came of it.

import { writeSync } from 'node:fs';
import { withDeadline } from '../../../src/base/deadline.js';

const say = (line: string) => writeSync(1, `${line}\n`);

function workedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

try {
  withDeadline(500, () => {
    say('begun');
    for (const end = workedMs() + 250; workedMs() < end; );
  });
  say('done');
} catch {
  say('ended');
}
