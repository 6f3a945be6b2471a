import { useState } from 'preact/hooks';
import { write } from '../../api.js';
import { ActionForm, ConfirmButton, Dialog } from '../../ui/dialog.js';
import { useMayWrite } from '../../visitor.js';
import { ModelField } from '../jobs/model-field.js';
import { canGoOn, type WholeRelay } from './whole-relay.js';

/** What can be done with a relay as it stands. */
export function RelayActions({ relay }: { relay: WholeRelay }) {
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

function Run({ relay }: { relay: WholeRelay }) {
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
