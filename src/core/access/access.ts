import type { Clock, EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { insertRow } from '../../store/insert-row.js';
import type { Database } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { recordEvent } from '../events/events.js';
import { createBrowserSessions, revokeBrowser, usePrecisionMs } from './browser-sessions.js';
import { accessSubject, type Pass } from './pass.js';
import { findSecret, newSecret } from './secret.js';

/** A token for programs and other hosts. The token itself is not stored, only a hash. */
export interface AccessToken {
  id: string;
  name: string;
  isReadOnly: boolean;
  createdAt: EpochMs;
  lastUsedAt: EpochMs | null;
  /** From then on it lets nobody in; null for one that does not end by itself. */
  expiresAt: EpochMs | null;
}

export interface NewToken {
  /** Up to 60 letters, digits, spaces and . @ - _ */
  name: string;
  isReadOnly: boolean;
  /** How long it is good for; without end unless given. */
  lifeMs?: number | undefined;
}

/** What `revoke` has ended: a token with its browsers, or one browser, named by its token. */
export interface Revoked {
  kind: 'token' | 'browser';
  id: string;
  name: string;
}

interface TokenRow {
  id: string;
  name: string;
  hash: string;
  is_read_only: number;
  created_at: EpochMs;
  last_used_at: EpochMs | null;
  expires_at: EpochMs | null;
}

const toToken = (row: TokenRow): AccessToken => ({
  id: row.id,
  name: row.name,
  isReadOnly: row.is_read_only === 1,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
  expiresAt: row.expires_at,
});

export type Access = ReturnType<typeof createAccess>;

/** Who may come in over HTTP: tokens for programs, codes and sessions for the browsers of people. */
export function createAccess({ db, clock }: { db: Database; clock: Clock }) {
  const browsers = createBrowserSessions({ db, clock });
  return {
    ...browsers,

    /**
     * Creates a token and returns it, which is the only time it can be read. Those that have ended go. Throws `invalid`
     * for a name that cannot be one, and `conflict` for one in use.
     */
    create: ({ name, isReadOnly, lifeMs }: NewToken, actor: Actor): Promise<{ id: string; token: string }> =>
      db.transaction(async (sql) => {
        requireName(name);
        await sql.run('delete from access_tokens where expires_at <= ?', clock.now());
        const known = await sql.get('select 1 from access_tokens where name = ?', name);
        if (known) {
          throw new RuntimeError(
            'conflict',
            `There is a token named ${JSON.stringify(name)} already.`,
            'Choose another name, or revoke that one first.',
          );
        }
        const at = clock.now();
        const { id, secret, hash } = newSecret('token');
        const expiresAt = lifeMs === undefined ? null : at + lifeMs;
        await insertRow(sql, 'access_tokens', {
          id,
          name,
          hash,
          is_read_only: Number(isReadOnly),
          expires_at: expiresAt,
          created_at: at,
        });
        const data = {
          token: id,
          name,
          read_only: isReadOnly,
          ...(expiresAt === null ? {} : { expires_at: expiresAt }),
        };
        await recordEvent(sql, { at, ...accessSubject, actor, type: 'token_created', data });
        return { id, token: secret };
      }),

    async list(): Promise<AccessToken[]> {
      return (await db.all<TokenRow>('select * from access_tokens order by created_at, id')).map(toToken);
    },

    /** Deletes a token by its id or name with the sessions of its browsers, or one browser's by its id. Throws `not_found`. */
    revoke: (idOrName: string, actor: Actor): Promise<Revoked> =>
      db.transaction(async (sql) => {
        const at = clock.now();
        const row = await sql.get<TokenRow>(
          'delete from access_tokens where id = ? or name = ? returning *',
          idOrName,
          idOrName,
        );
        if (row) {
          const data = { token: row.id, name: row.name };
          await recordEvent(sql, { at, ...accessSubject, actor, type: 'token_revoked', data });
          return { kind: 'token', id: row.id, name: row.name };
        }
        const browser = await revokeBrowser(sql, idOrName, { at, actor });
        if (browser) return { kind: 'browser', id: browser.id, name: browser.name };
        throw new RuntimeError(
          'not_found',
          `There is no token ${JSON.stringify(idOrName)}, and no browser with that id.`,
          '`agent-runtime token list` shows the tokens and browsers there are.',
        );
      }),

    /** What a token allows, and marks it as used; undefined for a token that is not valid, has ended, or was revoked. */
    async verify(token: string): Promise<Pass | undefined> {
      const row = await findSecret<TokenRow>(db, 'token', token);
      const now = clock.now();
      if (!row || hasExpired(row, now)) return undefined;
      if ((row.last_used_at ?? 0) < now - usePrecisionMs) {
        await db.transaction((sql) => sql.run('update access_tokens set last_used_at = ? where id = ?', now, row.id));
      }
      return { tokenId: row.id, name: row.name, isReadOnly: row.is_read_only === 1 };
    },

    /** Whether what has let a caller in would still do so. */
    async isGood({ tokenId, browserId }: Pass): Promise<boolean> {
      if (browserId !== undefined) return browsers.isBrowserOpen(browserId);
      if (tokenId === 'owner' || tokenId === 'anyone') return true;
      const row = await db.get<TokenRow>('select * from access_tokens where id = ?', tokenId);
      return row !== undefined && !hasExpired(row, clock.now());
    },
  };
}

const hasExpired = ({ expires_at: at }: TokenRow, now: EpochMs): boolean => at !== null && now >= at;

function requireName(name: string): void {
  if (/^[\w .@-]{1,60}$/.test(name)) return;
  throw new RuntimeError(
    'invalid',
    `${JSON.stringify(name)} cannot be the name of a token.`,
    'Use up to 60 letters, digits, spaces and . @ - _.',
  );
}
