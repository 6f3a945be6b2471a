import { RuntimeError } from '../../base/errors.js';

/** Why a call was ended from outside, as an error that its caller understands. */
export function interruption({ reason }: AbortSignal): RuntimeError {
  if (reason instanceof RuntimeError) return reason;
  if (reason instanceof Error && reason.name === 'TimeoutError') {
    return new RuntimeError('timeout', 'The time of the call was over.', 'Try again, with more time.', {
      cause: reason,
    });
  }
  return new RuntimeError('cancelled', 'The call was cancelled.', undefined, { cause: reason });
}
