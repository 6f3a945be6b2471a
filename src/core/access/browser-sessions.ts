import type { Clock, EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { insertRow } from '../../store/insert-row.js';
import type { Database, Sql } from '../../store/sql.js';
import { type Actor, personNamed } from '../actor.js';
import { recordEvent } from '../events/events.js';
import { accessSubject, isOfIssuer, type Pass, type Rights } from './pass.js';
import { findSecret, hashOf, isSame, newSecret } from './secret.js';

/** A browser that was let in by a code. What its cookie holds is not stored, only a hash. */
export interface BrowserSession {
  id: string;
  /** The name of the token that it stands for, or `owner`. */
  name: string;
  isReadOnly: boolean;
  createdAt: EpochMs;
  lastUsedAt: EpochMs;
  /** The latest time at which it ends; earlier if it is not used. */
  expiresAt: EpochMs;
}

interface CodeRow {
  id: string;
  hash: string;
  token_id: string | null;
  is_read_only: number;
  expires_at: EpochMs;
}

interface BrowserRow extends CodeRow {
  owner_hash: string | null;
  created_at: EpochMs;
  last_used_at: EpochMs;
}

/** A session with what it needs to know of its token. */
interface JoinedRow extends BrowserRow {
  token_name: string | null;
  token_is_read_only: number | null;
  token_expires_at: EpochMs | null;
}

/** How long a code can be used. */
export const codeLifeMs = 10 * 60_000;

/** A browser's session ends this long after it has begun ... */
export const browserLifeMs = 30 * 86_400_000;

/** ... and this long after its last use. */
export const browserIdleMs = 12 * 3_600_000;

/** A last use is written at most this often: a write at every request would cost more than the request. */
export const usePrecisionMs = 60_000;

/** Codes for people, and the sessions of the browsers that have used one. */
export function createBrowserSessions({ db, clock }: { db: Database; clock: Clock }) {
  const isOpen = (row: JoinedRow): boolean => clock.now() < Math.min(endOf(row), row.last_used_at + browserIdleMs);

  async function touch(row: BrowserRow): Promise<void> {
    const now = clock.now();
    if (row.last_used_at >= now - usePrecisionMs) return;
    await db.transaction((sql) => sql.run('update browser_sessions set last_used_at = ? where id = ?', now, row.id));
  }

  return {
    /**
     * Creates a code that lets one browser in, once and within `codeLifeMs`, with these rights. Throws `invalid` for a
     * caller without a token, and for a token that has been revoked.
     */
    createCode: (rights: Rights): Promise<string> => db.transaction((sql) => createCode(sql, rights, clock.now())),

    /** Uses up a code and begins a session. Resolves to what its cookie holds; undefined for a code that is not valid. */
    signIn: (code: string, ownerToken: string): Promise<string | undefined> =>
      db.transaction((sql) => signIn(sql, code, ownerToken, clock.now())),

    /** What a browser's session allows, and marks it as used; undefined for one that has ended, or is of another owner. */
    async verifyBrowser(secret: string, ownerToken: string): Promise<Pass | undefined> {
      const found = await findSecret<BrowserRow>(db, 'browser', secret);
      const row = found && (await readSession(db, found.id));
      if (!row || !isOpen(row)) return undefined;
      if (row.owner_hash !== null && !isSame(row.owner_hash, hashOf(ownerToken))) return undefined;
      await touch(row);
      const { id, name, isReadOnly } = toBrowserSession(row);
      return { tokenId: row.token_id ?? 'owner', name, isReadOnly, browserId: id };
    },

    /** Whether a session is still open; what a browser keeps open counts as its use. */
    async isBrowserOpen(id: string): Promise<boolean> {
      const row = await readSession(db, id);
      if (!row || !isOpen(row)) return false;
      await touch(row);
      return true;
    },

    /** The open sessions, oldest first. */
    async listBrowsers(): Promise<BrowserSession[]> {
      const rows = await db.all<JoinedRow>(`${selectSession} order by b.created_at, b.id`);
      return rows.filter(isOpen).map(toBrowserSession);
    },
  };
}

async function createCode(sql: Sql, rights: Rights, now: EpochMs): Promise<string> {
  const { tokenId, isReadOnly } = rights;
  await deleteEnded(sql, now);
  if (isOfIssuer(rights)) {
    throw new RuntimeError(
      'invalid',
      'You came in by a token of an issuer, and no address can stand for that.',
      "Open the server's own address in a browser, and sign in there with an access token of the issuer.",
    );
  }
  await requireToken(sql, tokenId, now);
  const { id, secret, hash } = newSecret('code');
  await insertRow(sql, 'access_codes', {
    id,
    hash,
    token_id: tokenId === 'owner' ? null : tokenId,
    is_read_only: Number(isReadOnly),
    created_at: now,
    expires_at: now + codeLifeMs,
  });
  return secret;
}

async function signIn(sql: Sql, code: string, ownerToken: string, now: EpochMs): Promise<string | undefined> {
  const row = await findSecret<CodeRow>(sql, 'code', code);
  if (!row) return undefined;
  await sql.run('delete from access_codes where id = ?', row.id);
  if (now >= row.expires_at) return undefined;
  const { id, secret, hash } = newSecret('browser');
  await insertRow(sql, 'browser_sessions', {
    id,
    hash,
    token_id: row.token_id,
    owner_hash: row.token_id === null ? hashOf(ownerToken) : null,
    is_read_only: row.is_read_only,
    created_at: now,
    last_used_at: now,
    expires_at: now + browserLifeMs,
  });
  const token = await sql.get<{ name: string }>('select name from access_tokens where id = ?', row.token_id);
  const data = { browser: id, token: row.token_id ?? 'owner', read_only: row.is_read_only === 1 };
  const actor = personNamed(token?.name ?? 'owner');
  await recordEvent(sql, { at: now, ...accessSubject, actor, type: 'browser_signed_in', data });
  return secret;
}

/** Ends a browser's session by its id. Resolves to undefined if there is none. */
export async function revokeBrowser(
  sql: Sql,
  id: string,
  { at, actor }: { at: EpochMs; actor: Actor },
): Promise<BrowserSession | undefined> {
  const row = await readSession(sql, id);
  if (!row) return undefined;
  await sql.run('delete from browser_sessions where id = ?', id);
  const session = toBrowserSession(row);
  const data = { browser: id, name: session.name };
  await recordEvent(sql, { at, ...accessSubject, actor, type: 'browser_revoked', data });
  return session;
}

const selectSession = `select b.*, t.name as token_name, t.is_read_only as token_is_read_only,
    t.expires_at as token_expires_at
  from browser_sessions b left join access_tokens t on t.id = b.token_id`;

function readSession(sql: Pick<Sql, 'get'>, id: string): Promise<JoinedRow | undefined> {
  return sql.get<JoinedRow>(`${selectSession} where b.id = ?`, id);
}

/** A session ends with its token. */
const endOf = (row: JoinedRow): EpochMs => Math.min(row.expires_at, row.token_expires_at ?? Infinity);

function toBrowserSession(row: JoinedRow): BrowserSession {
  return {
    id: row.id,
    name: row.token_name ?? 'owner',
    isReadOnly: row.is_read_only === 1 || row.token_is_read_only === 1,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    expiresAt: endOf(row),
  };
}

async function requireToken(sql: Sql, tokenId: string, now: EpochMs): Promise<void> {
  if (tokenId === 'owner') return;
  if (tokenId === 'anyone') {
    throw new RuntimeError(
      'invalid',
      'This server lets everyone in without a token, so a code would stand for nobody.',
      "Open the server's own address in a browser, or run `agent-runtime dashboard --open` in a terminal.",
    );
  }
  const known = await sql.get(
    'select 1 from access_tokens where id = ? and (expires_at is null or expires_at > ?)',
    tokenId,
    now,
  );
  if (known) return;
  throw new RuntimeError(
    'invalid',
    'Your token has been revoked, or has ended.',
    'Ask the owner of this runtime for another.',
  );
}

async function deleteEnded(sql: Sql, now: EpochMs): Promise<void> {
  await sql.run('delete from access_codes where expires_at <= ?', now);
  await sql.run('delete from browser_sessions where expires_at <= ? or last_used_at <= ?', now, now - browserIdleMs);
}
