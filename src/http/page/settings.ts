import { z } from 'zod';
import { RuntimeError } from '../../base/errors.js';
import type { AccessToken } from '../../core/access/access.js';
import type { BrowserSession } from '../../core/access/browser-sessions.js';
import type { Rights } from '../../core/access/pass.js';
import type { Backup } from '../../store/sqlite/backup.js';
import { iso } from '../../tools/call/fields.js';
import { eventTarget } from './webhooks.js';

const token = z.strictObject({
  id: z.string(),
  name: z.string(),
  read_only: z.boolean(),
  created_at: z.string(),
  last_used_at: z.string().nullable(),
  expires_at: z.string().nullable(),
});

const browser = z.strictObject({
  id: z.string(),
  /** The name of its token, or owner. */
  name: z.string(),
  read_only: z.boolean(),
  created_at: z.string(),
  last_used_at: z.string(),
  expires_at: z.string(),
});

/** `settings`: who may come in, and how the database is kept. Times are ISO 8601. */
export const settings = z.strictObject({
  /** Only for the owner. */
  access: z.strictObject({ tokens: z.array(token), browsers: z.array(browser) }).optional(),
  database: z.string(),
  database_bytes: z.int(),
  /** What ended so many days ago is deleted each day. */
  retention_days: z.int().optional(),
  tasks: z.int(),
  /** Where events go. */
  webhooks: z.array(eventTarget),
  /** Newest first. */
  backups: z.array(z.strictObject({ name: z.string(), path: z.string(), size_bytes: z.int(), at: z.string() })),
});

/** `back_up`. */
export const madeBackup = z.strictObject({ path: z.string(), size_bytes: z.int() });

export type MadeBackup = z.infer<typeof madeBackup>;

export type Settings = z.infer<typeof settings>;

export const showToken = ({ isReadOnly, createdAt, lastUsedAt, expiresAt, ...rest }: AccessToken) => ({
  ...rest,
  read_only: isReadOnly,
  created_at: iso(createdAt),
  last_used_at: iso(lastUsedAt),
  expires_at: iso(expiresAt),
});

export const showBrowser = ({ isReadOnly, createdAt, lastUsedAt, expiresAt, ...rest }: BrowserSession) => ({
  ...rest,
  read_only: isReadOnly,
  created_at: iso(createdAt),
  last_used_at: iso(lastUsedAt),
  expires_at: iso(expiresAt),
});

export const showBackup = ({ sizeBytes, at, ...rest }: Backup) => ({ ...rest, size_bytes: sizeBytes, at: iso(at) });

/** Throws `invalid` for a visitor who may only read: what is set here is nothing to them. */
export function requireWriter({ isReadOnly }: Rights): void {
  if (!isReadOnly) return;
  throw new RuntimeError('invalid', 'Settings are for those who may change things.', 'Sign in with another token.');
}

/** Throws `invalid` for anyone but the owner: a token that could make others would outlive its own revocation. */
export function requireOwner({ tokenId }: Rights): void {
  if (tokenId === 'owner') return;
  throw new RuntimeError(
    'invalid',
    'Only the owner of this runtime manages who may come in.',
    'Use `agent-runtime token` in a terminal, or sign in as the owner.',
  );
}

/** `purge_preview` and `purge`: how many of each kind. */
export const purgeCounts = z.strictObject({
  goals: z.int(),
  tasks: z.int(),
  jobs: z.int(),
  relays: z.int(),
  sessions: z.int(),
  runners: z.int(),
  messages: z.int(),
});

export type PurgeCounts = z.infer<typeof purgeCounts>;
