import type { Breakers } from '../../../src/core/breakers/breakers.js';
import type { ConfigChanges } from '../../../src/core/breakers/configure-breaker.js';
import type { FailureType } from '../../../src/core/breakers/machine.js';

/** One thing that a process may do with a breaker. */
export type Operation =
  | { do: 'acquire'; callMs: number }
  | { do: 'succeed'; permit?: string | undefined }
  | { do: 'fail'; type: FailureType; retryAfterMs: number; permit?: string | undefined }
  | { do: 'release'; permit: string }
  | { do: 'trip'; mustHold: boolean }
  | { do: 'reset' }
  | { do: 'configure'; changes: ConfigChanges };

/** What an operation has answered, as far as it matters here. */
export interface Answer {
  allowed?: boolean;
  permit?: string | undefined;
}

export async function perform(breakers: Breakers, id: string, operation: Operation): Promise<Answer> {
  switch (operation.do) {
    case 'acquire':
      return breakers.acquire(id, { callMs: operation.callMs });
    case 'succeed':
      await breakers.recordSuccess(id, operation.permit);
      return {};
    case 'fail': {
      const { type, permit, retryAfterMs } = operation;
      await breakers.recordFailure(id, { type, message: 'Down' }, { permit, retryAfterMs });
      return {};
    }
    case 'release':
      await breakers.release(operation.permit);
      return {};
    case 'trip':
      await breakers.trip(id, { reason: 'test', mustHold: operation.mustHold });
      return {};
    case 'reset':
      await breakers.reset(id);
      return {};
    case 'configure':
      await breakers.configure(id, operation.changes);
      return {};
  }
}
