import type { Clock } from '../../base/clock.js';
import { newToken } from '../../base/ids.js';
import type { AddressRule } from '../../base/public-address.js';
import type { EventTargets } from '../../core/event-targets/event-targets.js';
import { type Answer, sendWebhook } from '../../webhooks/send.js';

export interface TestedWebhook extends Answer {
  messageId: string;
  /** Milliseconds until the head of the answer. */
  tookMs: number;
}

/** Sends a webhook one message of the type `webhook.test`, now and once, whatever its filter. Throws `not_found`. */
export async function testWebhook(
  { eventTargets, clock, rule }: { eventTargets: EventTargets; clock: Clock; rule: AddressRule },
  name: string,
): Promise<TestedWebhook> {
  const [{ id, url }, secrets] = [await eventTargets.find(name), await eventTargets.secrets(name)];
  const messageId = `msg_${id}_test_${newToken().slice(0, 12)}`;
  const now = clock.now();
  const timestamp = new Date(now).toISOString();
  const body = JSON.stringify({ type: 'webhook.test', timestamp, data: { webhook: name } });
  const startedAt = performance.now();
  const answer = await sendWebhook(
    { id: messageId, timestamp: Math.floor(now / 1000), body },
    { url: url ?? '', secrets, rule, signal: new AbortController().signal },
  );
  return { ...answer, messageId, tookMs: Math.round(performance.now() - startedAt) };
}
