import { useState } from 'preact/hooks';
import type { JobSummary, ModelList } from '../../../http/page/jobs.js';
import { useMayWrite, write } from '../../api.js';
import { ActionForm, ConfirmButton, Dialog } from '../../ui/dialog.js';
import { useRead } from '../../use-read.js';
import { isOpen } from './job-status.js';

/** The actions that a job allows in its present status. */
export function JobActions({ job }: { job: JobSummary }) {
  const mayWrite = useMayWrite();
  if (!mayWrite) return null;
  return (
    <div class="actions">
      {isOpen(job) && !job.cancel_requested && (
        <ConfirmButton
          label="Cancel job"
          question="Cancel this job?"
          consequence={
            job.status === 'running'
              ? 'Its model call is aborted, and every process that it started is ended. What has arrived is kept.'
              : 'It will not start. You can retry it later.'
          }
          onConfirm={async () => {
            await write('cancel_job', { job_id: job.id });
            return 'The job is cancelled.';
          }}
        />
      )}
      {(job.status === 'failed' || job.status === 'cancelled') && <Retry job={job} />}
    </div>
  );
}

function Retry({ job }: { job: JobSummary }) {
  const [isAsking, setAsking] = useState(false);
  const close = () => setAsking(false);
  const retry = async (form?: FormData) => {
    const model = String(form?.get('model') ?? '').trim();
    await write('retry_task', { task_id: job.id, ...(model ? { model } : {}) });
    return 'The job runs again.';
  };
  return (
    <>
      <button type="button" class="primary" onClick={() => setAsking(true)}>
        Run again
      </button>
      {isAsking && (
        <Dialog title="Run this job again?" onClose={close}>
          <ActionForm label="Run again" onSubmit={retry} onClose={close}>
            <p>It gets fresh attempts. Jobs that were cancelled because of it come back too.</p>
            {job.type === 'llm' && <ModelField usual={job.requested_model ?? job.model} />}
          </ActionForm>
        </Dialog>
      )}
    </>
  );
}

/** A model name, with the configured ones as suggestions; empty for the default. */
export function ModelField({ usual }: { usual: string | null | undefined }) {
  const { data } = useRead<ModelList>('page/models');
  const known = data?.providers.flatMap(({ configured, model }) => (configured && model ? [model] : [])) ?? [];
  return (
    <label>
      Model
      <input name="model" list="models" maxLength={200} placeholder={usual ?? data?.default ?? ''} />
      <datalist id="models">
        {known.map((model) => (
          <option key={model} value={model} />
        ))}
      </datalist>
    </label>
  );
}
