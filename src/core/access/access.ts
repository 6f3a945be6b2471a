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
}

export interface NewToken {
  name: string;
  isReadOnly: boolean;
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
}

const toToken = (row: TokenRow): AccessToken => ({
  id: row.id,
  name: row.name,
  isReadOnly: row.is_read_only === 1,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
});

export type Access = ReturnType<typeof createAccess>;

/** Who may come in over HTTP: tokens for programs, codes and sessions for the browsers of people. */
export function createAccess({ db, clock }: { db: Database; clock: Clock }) {
  const browsers = createBrowserSessions({ db, clock });
  return {
    ...browsers,

    /** Creates a token and returns it, which is the only time it can be read. Throws `conflict` for a name in use. */
    create: ({ name, isReadOnly }: NewToken, actor: Actor): Promise<{ id: string; token: string }> =>
      db.transaction(async (sql) => {
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
        await insertRow(sql, 'access_tokens', { id, name, hash, is_read_only: Number(isReadOnly), created_at: at });
        const data = { token: id, name, read_only: isReadOnly };
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

    /** What a token allows, and marks it as used; undefined for a token that is not valid, or was revoked. */
    async verify(token: string): Promise<Pass | undefined> {
      const row = await findSecret<TokenRow>(db, 'token', token);
      if (!row) return undefined;
      const now = clock.now();
      if ((row.last_used_at ?? 0) < now - usePrecisionMs) {
        await db.transaction((sql) => sql.run('update access_tokens set last_used_at = ? where id = ?', now, row.id));
      }
      return { tokenId: row.id, name: row.name, isReadOnly: row.is_read_only === 1 };
    },

    /** Whether what has let a caller in would still do so. */
    async isGood({ tokenId, browserId }: Pass): Promise<boolean> {
      if (browserId !== undefined) return browsers.isBrowserOpen(browserId);
      if (tokenId === 'owner' || tokenId === 'anyone') return true;
      return (await db.get('select 1 from access_tokens where id = ?', tokenId)) !== undefined;
    },
  };
}
