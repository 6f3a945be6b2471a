import type { Settings } from '../../../http/page/settings.js';
import { shownCount } from '../../ui/format.js';
import { Time } from '../../ui/time.js';

/** Where events go. They are managed in a terminal: a secret is shown once and taken from there. */
export function WebhookSettings({ webhooks }: Pick<Settings, 'webhooks'>) {
  if (webhooks.length === 0) return null;
  return (
    <section>
      <h2>Webhooks and sinks</h2>
      <table class="holdings">
        <thead>
          <tr>
            <th>Name</th>
            <th>Events</th>
            <th>Status</th>
            <th>Delivered</th>
            <th>Last</th>
          </tr>
        </thead>
        <tbody>
          {webhooks.map(({ name, to, events = [], status, why, delivered, last_delivered_at: at }) => (
            <tr key={name}>
              <td>
                {name} <span class="fact">{to ?? 'a sink'}</span>
              </td>
              <td data-name="Events">{events.join(' ')}</td>
              <td data-name="Status">
                {status}
                {why !== undefined && `: ${why}`}
              </td>
              <td data-name="Delivered">{shownCount(delivered)}</td>
              <td data-name="Last">{at !== null && <Time at={at} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="quiet small">`agent-runtime webhooks` adds, tests, enables and removes them.</p>
    </section>
  );
}
