import type { ShownChangedJobs } from '../../../http/page/job-writes.js';
import type { JobPage } from '../../../http/page/jobs.js';
import { type Arguments, useMayWrite, write } from '../../api.js';
import { ConfirmButton } from '../../ui/dialog.js';
import { shownCount } from '../../ui/format.js';

interface BulkActionsProps {
  /** What the list is filtered by. */
  args: Arguments & { status?: string; only?: string };
  read: JobPage;
}

/** Actions on all jobs of a list, on every page of it. */
export function BulkActions({ args, read: { counts, dead } }: BulkActionsProps) {
  if (!useMayWrite()) return null;
  const { status, only } = args;
  const failed = only === 'dead' ? dead.jobs : only === 'unread' ? 0 : status === 'cancelled' ? 0 : counts.failed.jobs;
  const isOpenShown = only === undefined && (status === undefined || status === 'pending' || status === 'running');
  const open = (status === 'running' ? 0 : counts.pending.jobs) + (status === 'pending' ? 0 : counts.running.jobs);
  return (
    <div class="actions of-all-jobs">
      {failed > 1 && (status === undefined || status === 'failed') && (
        <ConfirmButton
          label={`Retry all ${only === 'dead' ? 'dead' : 'failed'}`}
          question={`Retry ${shownCount(failed)} jobs?`}
          consequence="Every failed job of this list, on all its pages, gets fresh attempts. Jobs that were cancelled because of one come back too."
          onConfirm={async () => words('back in the queue', await write<ShownChangedJobs>('page/retry_jobs', args))}
        />
      )}
      {isOpenShown && open > 1 && (
        <ConfirmButton
          label="Cancel all open"
          question={`Cancel ${shownCount(open)} jobs?`}
          consequence="Every waiting and running job of this list, on all its pages, is cancelled. What has arrived is kept, and each can be retried."
          onConfirm={async () => words('cancelled', await write<ShownChangedJobs>('page/cancel_jobs', args))}
        />
      )}
    </div>
  );
}

function words(done: string, { changed, refused, more }: ShownChangedJobs): string {
  const [first] = refused;
  const left = first ? ` ${shownCount(refused.length)} could not be changed, such as: ${first.why}` : '';
  return `${shownCount(changed)} ${changed === 1 ? 'job is' : 'jobs are'} ${done}.${left}${more ? ' There are more: repeat it.' : ''}`;
}
