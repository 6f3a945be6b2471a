import { useContext } from 'preact/hooks';
import type { Settings as Read } from '../../../http/page/settings.js';
import { signOut, useMayWrite, VisitorContext } from '../../api.js';
import { act } from '../../ui/notices.js';
import { Empty, Shown } from '../../ui/shown.js';
import { useRead } from '../../use-read.js';
import { AccessSettings } from './access.js';
import { DatabaseSettings } from './database.js';
import { WebhookSettings } from './webhooks.js';

/** Who may come in, and how the database is kept. */
export function Settings() {
  const visitor = useContext(VisitorContext);
  const mayWrite = useMayWrite();
  const reading = useRead<Read>('page/settings', {}, { subjects: ['runtime'], isWanted: mayWrite });
  if (!visitor) return null;
  return (
    <>
      <section>
        <h2>You</h2>
        <div class="you">
          <p>
            Signed in as <strong>{visitor.name}</strong>
            {visitor.read_only && ', who may only look'}. Version {visitor.version}.
          </p>
          {visitor.browser_id !== undefined && (
            <button type="button" onClick={() => act(signOut, undefined)}>
              Sign out here
            </button>
          )}
        </div>
      </section>
      {visitor.read_only ? (
        <Empty what="The other settings are for those who may change things." />
      ) : (
        <Shown reading={reading}>
          {(read) => (
            <>
              <AccessSettings access={read.access} own={visitor.browser_id} />
              <WebhookSettings webhooks={read.webhooks} />
              <DatabaseSettings read={read} />
            </>
          )}
        </Shown>
      )}
    </>
  );
}
