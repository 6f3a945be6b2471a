import { useState } from 'preact/hooks';
import type { JobSummary, WholeJob } from '../../../http/page/jobs.js';
import { useMayWrite, write } from '../../api.js';
import { ActionForm, ConfirmButton, Dialog, DialogButton } from '../../ui/dialog.js';
import { isOpen } from './job-status.js';
import { ModelField } from './model-field.js';
import { JobForm } from './new-job.js';
import { Prompt } from './submit.js';

/** The actions that a job allows in its present status. */
export function JobActions({ job }: { job: WholeJob }) {
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
      {!isOpen(job) && <Repeat job={job} />}
      {(job.status === 'failed' || job.status === 'cancelled') && <Retry job={job} />}
    </div>
  );
}

/** Types whose jobs are made as a part of something else: they are repeated by that. */
const madeByOthers = ['decompose', 'relay_step', 'verify', 'run_goal'];

/** Submits the same once more as a job of its own, after changes if there are any. */
function Repeat({ job }: { job: WholeJob }) {
  // A payload that is too long to show would lose its end.
  if (madeByOthers.includes(job.type) || job.payload_cut !== undefined) return null;
  const { payload } = job;
  const field = (name: string): unknown => (payload as Record<string, unknown> | undefined)?.[name];
  return (
    <DialogButton label="Run a copy" title={`Run a copy of this ${job.type === 'llm' ? 'task' : 'job'}`}>
      {(close) =>
        job.type === 'llm' ? (
          <Prompt
            onClose={close}
            prompt={String(field('prompt') ?? '')}
            system={field('system')}
            model={job.requested_model}
          />
        ) : (
          <JobForm
            type={job.type}
            payload={payload ?? {}}
            options={{ priority: job.priority, max_attempts: job.max_attempts, timeout_seconds: job.timeout_seconds }}
            onClose={close}
          />
        )
      }
    </DialogButton>
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
        Retry
      </button>
      {isAsking && (
        <Dialog title="Retry this job?" onClose={close}>
          <ActionForm label="Retry" onSubmit={retry} onClose={close}>
            <p>It gets fresh attempts. Jobs that were cancelled because of it come back too.</p>
            {job.type === 'llm' && <ModelField usual={job.requested_model ?? job.model} />}
          </ActionForm>
        </Dialog>
      )}
    </>
  );
}
