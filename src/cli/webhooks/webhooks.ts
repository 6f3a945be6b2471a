import { resolve } from 'node:path';
import { RuntimeError } from '../../base/errors.js';
import { addressRule } from '../../base/public-address.js';
import type { FailedDelivery } from '../../core/event-targets/event-targets.js';
import { type ShownTarget, showTarget } from '../../http/page/webhooks.js';
import { iso } from '../../tools/call/fields.js';
import type { CommandContext } from '../define-command.js';
import { type Column, printTable, relativeIso } from '../table.js';
import { callerOf, readSettingOf, settingOf, withRuntime, withStored } from '../with-runtime.js';

/** Prints the webhooks and sinks. */
export async function listWebhooks(_: unknown, { flags, output, wantsJson }: CommandContext): Promise<void> {
  const targets = (await withStored(readSettingOf(flags), ({ eventTargets }) => eventTargets.list())).map(showTarget);
  if (wantsJson) return output.printJson({ webhooks: targets });
  if (targets.length === 0) return output.print('There are no webhooks; `webhooks add` makes one.');
  printTable(output, columnsAt(Date.now()), targets);
}

/** The options of `webhooks add`, as they were typed. */
export interface AddOptions {
  name: string;
  url: string;
  events: string[];
  project: string | undefined;
  goal: number | undefined;
}

/** Adds a webhook and prints its secret, which is not shown again. */
export async function addWebhook(
  { name, url, events, project, goal }: AddOptions,
  { flags, output }: CommandContext,
): Promise<void> {
  const setting = settingOf(flags);
  const { requireWebhookUrl } = await import('../../webhooks/send.js');
  const { newWebhookSecret } = await import('../../webhooks/sign.js');
  const address = requireWebhookUrl(url, addressRule(setting.config.webhooksAllowPrivate)).href;
  const patterns = events.flatMap((words) => words.split(',')).map((word) => word.trim());
  const secret = newWebhookSecret();
  const added = await withRuntime(setting, ({ eventTargets, config }) =>
    eventTargets.add(
      {
        name,
        url: address,
        secret,
        events: patterns.length === 0 ? ['*'] : [...new Set(patterns)],
        project: project === undefined ? null : resolve(project),
        goalId: goal ?? null,
      },
      callerOf(config),
    ),
  );
  if (flags.isJson) return output.printJson({ ...showTarget(added), secret });
  output.print(secret);
  output.say(
    `Webhook ${name} gets events from now on. The secret is not shown again: the receiver checks the signatures with it.`,
  );
}

export async function rotateSecret({ name }: { name: string }, { flags, output }: CommandContext): Promise<void> {
  const { newWebhookSecret } = await import('../../webhooks/sign.js');
  const secret = newWebhookSecret();
  await withRuntime(settingOf(flags), ({ eventTargets }) => eventTargets.rotate(name, secret));
  if (flags.isJson) return output.printJson({ name, secret });
  output.print(secret);
  output.say('It is not shown again. Until this time tomorrow messages are signed with the old one too.');
}

export async function removeWebhook({ name }: { name: string }, { flags, output }: CommandContext): Promise<void> {
  const { kind } = await withRuntime(settingOf(flags), ({ eventTargets, config }) =>
    eventTargets.remove(name, callerOf(config)),
  );
  if (flags.isJson) output.printJson({ name, kind, removed: true });
  else output.print(`Removed ${kind} ${name}.`);
}

export async function enableWebhook(
  { name, isFromNow }: { name: string; isFromNow: boolean },
  { flags, output }: CommandContext,
): Promise<void> {
  const target = await withRuntime(settingOf(flags), ({ eventTargets, config }) =>
    eventTargets.enable(name, isFromNow, callerOf(config)),
  );
  if (flags.isJson) output.printJson(showTarget(target));
  else output.print(`Webhook ${name} is active.`);
}

export async function disableWebhook({ name }: { name: string }, { flags, output }: CommandContext): Promise<void> {
  const target = await withRuntime(settingOf(flags), ({ eventTargets, config }) =>
    eventTargets.disable(name, callerOf(config)),
  );
  if (flags.isJson) output.printJson(showTarget(target));
  else output.print(`Webhook ${name} is disabled.`);
}

/** Sends a message now. Fails with `unavailable` when it was not taken. */
export async function testOne({ name }: { name: string }, { flags, output }: CommandContext): Promise<void> {
  const { testWebhook } = await import('../../services/event-delivery/test-webhook.js');
  const { isTaken, status, error, messageId, tookMs } = await withRuntime(
    readSettingOf(flags),
    ({ eventTargets, clock, config }) =>
      testWebhook({ eventTargets, clock, rule: addressRule(config.webhooksAllowPrivate) }, name),
  );
  if (!isTaken) {
    throw new RuntimeError(
      'unavailable',
      `Webhook ${name} has not taken ${messageId}: ${error}.`,
      'Look into the log of the receiver; `webhooks list` shows its host.',
    );
  }
  if (flags.isJson) output.printJson({ name, message_id: messageId, status, took_ms: tookMs });
  else output.print(`Webhook ${name} has taken ${messageId}: ${status} after ${tookMs} ms.`);
}

export async function listFailed(
  { name, limit = 50 }: { name: string | undefined; limit: number | undefined },
  { flags, output, wantsJson }: CommandContext,
): Promise<void> {
  const failed = await withStored(readSettingOf(flags), ({ eventTargets }) => eventTargets.failed(name, limit));
  if (wantsJson) {
    return output.printJson({
      failed: failed.map(({ eventId, nextAt, lastError, createdAt, ...one }) => ({
        ...one,
        event_id: eventId,
        ...(one.status === 'waiting' ? { next_at: iso(nextAt) } : {}),
        last_error: lastError,
        created_at: iso(createdAt),
      })),
    });
  }
  if (failed.length === 0) return output.print('Every message was taken.');
  printTable(output, failedColumnsAt(Date.now()), failed);
}

export async function resendFailed({ which }: { which: string }, { flags, output }: CommandContext): Promise<void> {
  const isNumbers = /^\d{1,15}(,\d{1,15}){0,999}$/.test(which);
  const sent = await withRuntime(settingOf(flags), ({ eventTargets }) =>
    eventTargets.resend(isNumbers ? { ids: which.split(',').map(Number) } : { name: which }),
  );
  if (flags.isJson) output.printJson({ resent: sent });
  else output.print(`To be sent again: ${sent} ${sent === 1 ? 'message' : 'messages'}.`);
}

const columnsAt = (now: number): Column<ShownTarget>[] => [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'TO', value: ({ to }) => to ?? 'a sink' },
  {
    title: 'EVENTS',
    value: ({ events = [], project, goal }) =>
      [
        ...events,
        ...(project === undefined ? [] : [`of ${project}`]),
        ...(goal === undefined ? [] : [`of goal ${goal}`]),
      ].join(' '),
    isText: true,
  },
  { title: 'STATUS', value: ({ status }) => status },
  { title: 'DELIVERED', value: ({ delivered }) => String(delivered), isNumber: true },
  { title: 'LAST', value: ({ last_delivered_at: at }) => (at === null ? 'never' : relativeIso(at, now)) },
  {
    title: 'WHY',
    value: ({ why, lost }) => [why, lost > 0 ? `${lost} events were purged` : undefined].filter(Boolean).join('; '),
    isText: true,
  },
];

const failedColumnsAt = (now: number): Column<FailedDelivery>[] => [
  { title: 'NUMBER', value: ({ id }) => String(id), isNumber: true },
  { title: 'WEBHOOK', value: ({ webhook }) => webhook },
  { title: 'EVENT', value: ({ kind }) => kind },
  { title: 'OF', value: ({ subject }) => subject },
  { title: 'TRIES', value: ({ attempts }) => String(attempts), isNumber: true },
  { title: 'NEXT', value: ({ status, nextAt }) => (status === 'dead' ? 'dead' : relativeIso(iso(nextAt), now)) },
  { title: 'WHY', value: ({ lastError }) => lastError ?? '', isText: true },
];
