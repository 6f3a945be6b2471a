import type { EpochMs } from '../../base/clock.js';

export const importances = ['low', 'normal', 'high'] as const;
export type Importance = (typeof importances)[number];

export type AddressKind = 'session' | 'worker' | 'goal' | 'all' | 'user';

/** To whom a message goes. */
export interface Address {
  kind: AddressKind;
  /** A holder, or the name of a worker; '' for the others. */
  id: string;
  goalId: number | null;
}

/** A row of `messages`. */
export interface MessageRow {
  id: number;
  thread_id: number | null;
  project: string;
  sender: string | null;
  sender_worker: string | null;
  to_kind: AddressKind;
  to_id: string;
  goal_id: number | null;
  subject: string;
  body: string;
  importance: Importance;
  sent_at: EpochMs;
  expires_at: EpochMs | null;
}

export interface Message {
  id: number;
  /** The id of the first message of its thread. */
  thread: number;
  project: string;
  /** Who sent it, in the words by which they can be answered. */
  from: string;
  to: string;
  subject: string;
  body: string;
  importance: Importance;
  sentAt: EpochMs;
}

export function toMessage(row: MessageRow): Message {
  return {
    id: row.id,
    thread: row.thread_id ?? row.id,
    project: row.project,
    from: row.sender_worker ?? row.sender ?? 'user',
    to: addressText({ kind: row.to_kind, id: row.to_id, goalId: row.goal_id }),
    subject: row.subject,
    body: row.body,
    importance: row.importance,
    sentAt: row.sent_at,
  };
}

/** An address as callers write it. */
export function addressText({ kind, id, goalId }: Address): string {
  if (kind === 'goal') return `goal:${goalId}`;
  return kind === 'session' || kind === 'worker' ? id : kind;
}

/** A text without the control characters that a terminal would obey; line ends and tabs stay. */
export const plainText = (text: string): string =>
  text.replaceAll('\r\n', '\n').replaceAll(/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu, '');

/** The same on one line. */
export const plainLine = (text: string): string => plainText(text).replaceAll(/\s+/g, ' ').trim();
