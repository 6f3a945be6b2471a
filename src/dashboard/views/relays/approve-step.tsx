import { useState } from 'preact/hooks';
import type { RelayOnPage } from '../../../http/page/relays.js';
import { write } from '../../api.js';
import { ActionForm, ConfirmButton, Dialog } from '../../ui/dialog.js';

/** Lets the output of a step pass that waits for a person, or sends it back with what should be different. */
export function ApproveStep({ relay, index }: { relay: RelayOnPage; index: number }) {
  const [isAsking, setAsking] = useState(false);
  const close = () => setAsking(false);
  const decide = (approve: boolean, feedback?: string) =>
    write('page/approve_relay_step', { pipeline_id: relay.pipeline_id, step_index: index, approve, feedback });
  const sendBack = async (form: FormData) => {
    await decide(false, String(form.get('feedback')).trim() || undefined);
    return `Step ${index + 1} is sent back.`;
  };
  return (
    <>
      <ConfirmButton
        label="Approve"
        question={`Approve step ${index + 1}?`}
        consequence="Its output is handed to the next step; the last step completes the relay."
        onConfirm={async () => {
          await decide(true);
          return `Step ${index + 1} is approved.`;
        }}
      />
      <button type="button" class="small-button" onClick={() => setAsking(true)}>
        Send back
      </button>
      {isAsking && (
        <Dialog title={`Send step ${index + 1} back`} onClose={close}>
          <ActionForm label="Send back" onSubmit={sendBack} onClose={close}>
            <label>
              What should be different
              <textarea name="feedback" rows={4} maxLength={20_000} />
            </label>
          </ActionForm>
        </Dialog>
      )}
    </>
  );
}
