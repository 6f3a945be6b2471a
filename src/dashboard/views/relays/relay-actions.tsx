import { useState } from 'preact/hooks';
import type { ShownPipeline } from '../../../tools/shapes/relay.js';
import { useMayWrite, write } from '../../api.js';
import { ActionForm, ConfirmButton, Dialog } from '../../ui/dialog.js';
import { ModelField } from '../jobs/job-actions.js';

export const canGoOn = ({ status }: Pick<ShownPipeline, 'status'>): boolean =>
  status !== 'completed' && status !== 'cancelled';

/** The actions that a relay allows in its present status. */
export function RelayActions({ relay }: { relay: ShownPipeline }) {
  const mayWrite = useMayWrite();
  if (!mayWrite || !canGoOn(relay)) return null;
  return (
    <div class="actions">
      <ConfirmButton
        label="Cancel relay"
        question="Cancel this relay?"
        consequence="It ends for good, with the background job that works on it. What its steps have delivered is kept."
        onConfirm={async () => {
          await write('cancel_relay_pipeline', { pipeline_id: relay.pipeline_id });
          return 'The relay is cancelled.';
        }}
      />
      {relay.run?.running !== true && <Run relay={relay} />}
    </div>
  );
}

function Run({ relay }: { relay: ShownPipeline }) {
  const [isAsking, setAsking] = useState(false);
  const close = () => setAsking(false);
  const run = async (form: FormData) => {
    const model = String(form.get('model')).trim();
    await write('run_relay', { pipeline_id: relay.pipeline_id, ...(model ? { model } : {}) });
    return 'The relay runs by itself.';
  };
  return (
    <>
      <button type="button" class="primary" onClick={() => setAsking(true)}>
        Run it
      </button>
      {isAsking && (
        <Dialog title="Have models run this relay to its end?" onClose={close}>
          <ActionForm label="Run it" onSubmit={run} onClose={close}>
            <p>Each step becomes a background job; a second call judges its quality and its sources.</p>
            <ModelField usual={undefined} />
          </ActionForm>
        </Dialog>
      )}
    </>
  );
}

interface RetryStepProps {
  relay: ShownPipeline;
  /** 0-based. */
  index: number;
  /** The step has passed already. */
  isRestart: boolean;
}

/** The button that retries a step, with feedback for the next attempt. */
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
