import { cut } from '../../base/text.js';
import { nameOf, type PathWithWorker } from '../../core/coordination/path-guard.js';

/** Who has a file, until when and why, and what to do. The reason is quoted: another session has written it. */
export function describeTaken(file: string, row: PathWithWorker): string {
  const why = row.reason === '' ? '' : `, for ${JSON.stringify(cut(row.reason, 200))}`;
  const until = new Date(row.lease_expires_at).toISOString();
  return (
    `${file} is reserved (${row.pattern}) by ${nameOf(row)} until ${until}${why}. ` +
    `Work on something else, wait, or ask by send_message to ${nameOf(row)}.`
  );
}
