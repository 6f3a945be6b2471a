import type { ShownBreaker, ShownBreakerStatus } from '../../../tools/shapes/breaker.js';
import { useMayWrite, write } from '../../api.js';
import { Link } from '../../location.js';
import { usePageTitle } from '../../shell/page-title.js';
import { ActionForm, DialogButton } from '../../ui/dialog.js';
import { number, percent } from '../../ui/format.js';
import { History } from '../../ui/history.js';
import { act } from '../../ui/notices.js';
import { RawJson, Shown } from '../../ui/shown.js';
import { Status } from '../../ui/state.js';
import { Particular, Time, When } from '../../ui/time.js';
import { useRead } from '../../use-read.js';
import { ConfigureBreaker } from './configure.js';
import { Countdown } from './countdown.js';

const subjects = ['breaker', 'runtime'];

/** One breaker: its state, rules, last failures and history. */
export function BreakerSheet({ id }: { id: string }) {
  const reading = useRead<ShownBreakerStatus>('circuit_breaker_status', { agent_id: id }, { subjects });
  usePageTitle(id);
  return (
    <>
      <Link to="/breakers" class="back">
        ← Breakers
      </Link>
      <Shown reading={reading}>
        {(breaker) => (
          <article class="sheet">
            <header class="sheet-head">
              <h2>{breaker.agent_id}</h2>
              <BreakerActions breaker={breaker} />
            </header>
            <div class="sheet-body">
              <Particulars breaker={breaker} />
              <div class="sheet-text">
                <Countdown breaker={breaker} />
                {breaker.reason && breaker.state === 'OPEN' && <p class="note">{breaker.reason}</p>}
                <Rules agent={breaker.agent_id} rules={breaker.config} />
                <Failures failures={breaker.recent_failures} />
                <History subject="breaker" id={breaker.agent_id} />
                <RawJson value={breaker} />
              </div>
            </div>
          </article>
        )}
      </Shown>
    </>
  );
}

function Particulars({ breaker }: { breaker: ShownBreakerStatus }) {
  return (
    <dl class="particulars">
      <Particular name="State">
        <Status word={breaker.state} />
        {breaker.created_at === null && <div class="quiet">never used yet</div>}
      </Particular>
      <Particular name="In the window">{breaker.failure_count} failures</Particular>
      <Particular name="In all">
        {number(breaker.total_successes)} ok, {number(breaker.total_failures)} failed
      </Particular>
      <Particular name="Opened">{breaker.trip_count === 1 ? 'once' : `${breaker.trip_count} times`}</Particular>
      <When name="Last failure" at={breaker.last_failure_time} />
      <When name="Last success" at={breaker.last_success_time} />
      <When name="Since" at={breaker.created_at} />
    </dl>
  );
}

function Rules({ agent, rules }: { agent: string; rules: ShownBreaker['config'] }) {
  const mayWrite = useMayWrite();
  const weights = Object.entries(rules.failure_weights).map(
    ([type, weight]) => `${type.replaceAll('_', ' ')} ${weight}`,
  );
  const sentences = [
    `Opens after ${rules.failure_threshold} failures within ${rules.window_seconds} s.`,
    rules.failure_rate_threshold !== null &&
      `Opens also when ${percent(rules.failure_rate_threshold)} of at least ${rules.minimum_calls} calls have failed.`,
    `Stays open for ${rules.cooldown_seconds} s.`,
    rules.cooldown_factor > 1 &&
      `Each failed trial makes that ${rules.cooldown_factor} times as long, up to ${rules.max_cooldown_seconds} s.`,
    `Then lets ${rules.half_open_max_calls} trials through at once; ${rules.success_threshold} successes close it.`,
    rules.fallback_agent !== null && `Meanwhile its fallback is ${rules.fallback_agent}.`,
    weights.length > 0 && `Failures count: ${weights.join(', ')}.`,
  ];
  return (
    <section>
      <h3>Rules</h3>
      <p>{sentences.filter(Boolean).join(' ')}</p>
      {mayWrite && (
        <DialogButton label="Change rules" title={`Rules of ${agent}`}>
          {(close) => <ConfigureBreaker agent={agent} rules={rules} onClose={close} />}
        </DialogButton>
      )}
    </section>
  );
}

function Failures({ failures }: { failures: ShownBreakerStatus['recent_failures'] }) {
  if (failures.length === 0) return null;
  return (
    <section>
      <h3>Recent failures</h3>
      <ol class="history">
        {failures.map((failure) => (
          <li key={failure.failure_id}>
            <Time at={failure.timestamp} />
            <div>
              <strong>{failure.failure_type.replaceAll('_', ' ')}</strong>
              {failure.error_message && <div class="bad">{failure.error_message}</div>}
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Trips or resets a breaker. */
export function BreakerActions({ breaker }: { breaker: ShownBreaker }) {
  const mayWrite = useMayWrite();
  if (!mayWrite) return null;
  const { agent_id, state, failure_count, config } = breaker;
  const trip = async (form: FormData) => {
    const reason = String(form.get('reason')).trim();
    const isHeld = form.get('hold') !== null;
    await write('circuit_breaker_trip', {
      agent_id,
      ...(reason ? { reason } : {}),
      ...(isHeld ? { hold: true } : {}),
    });
    return `The breaker of ${agent_id} is open.`;
  };
  const reset = () => act(() => write('circuit_breaker_reset', { agent_id }), `The breaker of ${agent_id} is closed.`);
  return (
    <div class="actions">
      {(state !== 'CLOSED' || failure_count > 0) && (
        <button type="button" aria-label={`Reset ${agent_id}`} onClick={reset}>
          Reset
        </button>
      )}
      {state !== 'OPEN' && (
        <DialogButton
          label="Open"
          name={`Open the breaker of ${agent_id}`}
          title={`Open the breaker of ${agent_id}?`}
          class="danger"
        >
          {(close) => (
            <ActionForm label="Open breaker" isDestructive onSubmit={trip} onClose={close}>
              <p>It refuses calls for {config.cooldown_seconds} s. What is under way goes on.</p>
              <label>
                Reason
                <input name="reason" maxLength={1_000} placeholder="for those who find it open" />
              </label>
              <label class="check">
                <input type="checkbox" name="hold" /> Keep it open until somebody resets it
              </label>
            </ActionForm>
          )}
        </DialogButton>
      )}
    </div>
  );
}
