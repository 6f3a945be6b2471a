import type { ShownBreaker } from '../../../tools/shapes/breaker.js';
import { duration } from '../../ui/format.js';
import { useNow } from '../../ui/time.js';

/** The seconds until an open breaker admits a probe. */
export function Countdown({ breaker }: { breaker: ShownBreaker }) {
  const { state, cooldown_until, held, half_open_calls, success_count, config } = breaker;
  const isCounting = state === 'OPEN' && cooldown_until !== null && !held;
  const now = useNow(isCounting ? 1_000 : undefined);
  if (state === 'CLOSED') return null;
  if (held || (state === 'OPEN' && cooldown_until === null)) {
    return <p class="countdown">Held open until it is reset.</p>;
  }
  if (state === 'HALF_OPEN') {
    return (
      <p class="countdown">
        {success_count} of {config.success_threshold} trials have succeeded, {half_open_calls} under way
      </p>
    );
  }
  const end = Date.parse(cooldown_until ?? '');
  const left = Math.max(0, end - now);
  if (left === 0) return <p class="countdown">The next call is a probe.</p>;
  return (
    <div class="countdown">
      <progress
        value={Math.min(left, config.cooldown_seconds * 1000)}
        max={config.cooldown_seconds * 1000}
        aria-label="Time until the next probe"
      />
      <span>
        next trial in <b class="number">{duration(Math.ceil(left / 1000) * 1000)}</b>
      </span>
    </div>
  );
}
