import { loadDriver } from '../../src/store/sqlite/driver.js';
import { measureClaimRate } from '../load/claim-rate.js';
import type { Figure } from './protocol.js';

/** Claim and complete in one process, through the domain and as bare statements. */
export async function measureClaims(): Promise<Figure[]> {
  const { name } = await loadDriver();
  const { oursPerSecond, barePerSecond, ratio } = await measureClaimRate();
  const shown = (rate: number) => `${Math.round(rate).toLocaleString('en')}/s`;
  return [
    {
      what: `claim and complete a task, in process, against the same statements given to the bare driver (${name})`,
      ours: shown(oursPerSecond),
      reference: shown(barePerSecond),
      ratio,
      aim: '>= 0.7',
    },
  ];
}
