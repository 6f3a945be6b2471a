import { useState } from 'preact/hooks';
import { write } from '../../api.js';
import { ActionForm, Dialog } from '../../ui/dialog.js';
import type { WholeRelay } from './whole-relay.js';

interface RetryStepProps {
  relay: WholeRelay;
  /** 0-based. */
  index: number;
  /** The step has passed already. */
  isRestart: boolean;
}

/** The button that has a step done again, and what to tell its next attempt. */
export function RetryStep({ relay, index, isRestart }: RetryStepProps) {
  const [isAsking, setAsking] = useState(false);
  const close = () => setAsking(false);
  const word = isRestart ? 'Restart from here' : 'Retry';
  const retry = async (form: FormData) => {
    const feedback = String(form.get('feedback')).trim();
    await write('retry_relay_step', {
      pipeline_id: relay.pipeline_id,
      step_index: index,
      ...(feedback ? { feedback } : {}),
    });
    return `Step ${index + 1} has a new baton.`;
  };
  return (
    <>
      <button type="button" class="small-button" onClick={() => setAsking(true)}>
        {word}
      </button>
      {isAsking && (
        <Dialog title={`${word}: step ${index + 1}, ${relay.agents[index]?.agent_type ?? ''}`} onClose={close}>
          <ActionForm label={word} onSubmit={retry} onClose={close}>
            {isRestart && <p>What this step and those after it have delivered is set aside and kept in the history.</p>}
            <label>
              What the next attempt should do otherwise
              <textarea name="feedback" rows={4} maxLength={20_000} />
            </label>
          </ActionForm>
        </Dialog>
      )}
    </>
  );
}
