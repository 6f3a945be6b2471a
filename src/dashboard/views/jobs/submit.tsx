import { useState } from 'preact/hooks';
import type { ModelList } from '../../../http/page/jobs.js';
import type { ShownSubmittedTask } from '../../../tools/shapes/job.js';
import { useMayWrite, write } from '../../api.js';
import { go } from '../../location.js';
import { ActionForm, Dialog } from '../../ui/dialog.js';
import { Shown } from '../../ui/shown.js';
import { useRead } from '../../use-read.js';
import { ModelField } from './model-field.js';

/** The button that submits a background prompt, and its form. */
export function Submit() {
  const [isOpen, setOpen] = useState(false);
  const mayWrite = useMayWrite();
  const models = useRead<ModelList>('page/models', {}, { isWanted: mayWrite });
  if (!mayWrite) return null;
  const close = () => setOpen(false);
  return (
    <>
      <button type="button" class="primary" onClick={() => setOpen(true)}>
        New background task
      </button>
      {isOpen && (
        <Dialog title="New background task" onClose={close}>
          <Shown reading={models}>
            {(read) =>
              read.default === null ? <NotSetUp models={read} onClose={close} /> : <Prompt onClose={close} />
            }
          </Shown>
        </Dialog>
      )}
    </>
  );
}

interface PromptProps {
  onClose(): void;
  /** Of the task that is repeated. */
  prompt?: string;
  system?: unknown;
  model?: string | undefined;
}

export function Prompt({ onClose, prompt, system, model: usual }: PromptProps) {
  const submit = async (form: FormData) => {
    const model = String(form.get('model')).trim();
    const { task_id } = await write<ShownSubmittedTask>('submit_background_task', {
      task_description: String(form.get('prompt')),
      ...(model || usual ? { model: model || usual } : {}),
      ...(form.get('system') ? { system: String(form.get('system')) } : {}),
    });
    go(`/jobs/${task_id}`);
    return 'The task is submitted.';
  };
  return (
    <ActionForm label="Submit" onSubmit={submit} onClose={onClose}>
      <label>
        Prompt
        <textarea
          name="prompt"
          rows={7}
          required
          maxLength={2_000_000}
          placeholder="Everything the model needs to know"
          defaultValue={prompt}
        />
      </label>
      {typeof system === 'string' && (
        <label>
          System prompt
          <textarea name="system" rows={3} maxLength={200_000} defaultValue={system} />
        </label>
      )}
      <ModelField usual={usual} />
    </ActionForm>
  );
}

function NotSetUp({ models, onClose }: { models: ModelList; onClose(): void }) {
  return (
    <>
      <p>No model is set up. Do one of these where the dashboard is started, and start it again:</p>
      <ul class="fixes">
        {models.providers.map(({ id, fix }) => (
          <li key={id}>
            <strong>{id}</strong> {fix}
          </li>
        ))}
      </ul>
      <div class="actions">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </>
  );
}
