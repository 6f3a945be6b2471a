import { measureClaimRate } from '../load/claim-rate.js';
import type { Figure } from './protocol.js';

/** Claim and complete in one process, through the domain and as bare statements. */
export async function measureClaims(): Promise<Figure[]> {
  const { oursPerSecond, barePerSecond, ratio } = await measureClaimRate();
  const shown = (rate: number) => `${Math.round(rate).toLocaleString('en')}/s`;
  return [
    {
      what: 'claim and complete a task, in process, against the same statements in bare better-sqlite3',
      ours: shown(oursPerSecond),
      reference: shown(barePerSecond),
      ratio,
      aim: '>= 0.7',
    },
  ];
}
