import { useState } from 'preact/hooks';
import { write } from '../../api.js';
import { ActionForm, Dialog } from '../../ui/dialog.js';
import { act } from '../../ui/notices.js';
import { useMayWrite } from '../../visitor.js';
import type { Breaker } from './breaker.js';

/** Opens a breaker by hand, or closes it. */
export function BreakerActions({ breaker }: { breaker: Breaker }) {
  const [isAsking, setAsking] = useState(false);
  const mayWrite = useMayWrite();
  if (!mayWrite) return null;
  const { agent_id, state, failure_count, config } = breaker;
  const close = () => setAsking(false);
  const trip = async (form: FormData) => {
    const reason = String(form.get('reason')).trim();
    const isHeld = form.get('hold') !== null;
    await write('circuit_breaker_trip', {
      agent_id,
      ...(reason ? { reason } : {}),
      ...(isHeld ? { hold: true } : {}),
    });
    return `${agent_id} is open.`;
  };
  const reset = () => act(() => write('circuit_breaker_reset', { agent_id }), `${agent_id} is closed.`);
  return (
    <div class="actions">
      {(state !== 'CLOSED' || failure_count > 0) && (
        <button type="button" aria-label={`Reset ${agent_id}`} onClick={reset}>
          Reset
        </button>
      )}
      {state !== 'OPEN' && (
        <button type="button" class="danger" aria-label={`Trip ${agent_id}`} onClick={() => setAsking(true)}>
          Trip
        </button>
      )}
      {isAsking && (
        <Dialog title={`Keep work from ${agent_id}?`} onClose={close}>
          <ActionForm label="Trip" isDestructive onSubmit={trip} onClose={close}>
            <p>It refuses calls for {config.cooldown_seconds} s. What is under way goes on.</p>
            <label>
              Reason
              <input name="reason" maxLength={1_000} placeholder="for those who find it open" />
            </label>
            <label class="check">
              <input type="checkbox" name="hold" /> Hold it open until somebody resets it
            </label>
          </ActionForm>
        </Dialog>
      )}
    </div>
  );
}
