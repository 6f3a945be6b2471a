import { describe, expect, it } from 'vitest';
import { type Access, createAccess } from '../../../src/core/access/access.js';
import { ownerPass } from '../../../src/core/access/pass.js';
import type { Database } from '../../../src/store/sql.js';
import { movingClock } from '../../support/moving-clock.js';
import { testRuntime } from '../../support/test-runtime.js';

const actor = { holder: null, project: '' };
const ownerToken = 'o'.repeat(43);

async function setUp(): Promise<{ db: Database; access: Access; clock: ReturnType<typeof movingClock> }> {
  const clock = movingClock();
  const { db } = await testRuntime({ clock });
  return { db, clock, access: createAccess({ db, clock }) };
}

/** The types and data of the events of access, oldest first. */
async function eventsOf(db: Database): Promise<[type: string, data: unknown][]> {
  const rows = await db.all<{ type: string; data: string }>(
    "select type, data from events where subject = 'runtime' and subject_id = 'access' order by id",
  );
  return rows.map(({ type, data }) => [type, JSON.parse(data)]);
}

describe('a code', () => {
  it('lets in one browser, of many that open it at once', async () => {
    const { access } = await setUp();
    const code = await access.createCode(ownerPass);
    const cookies = await Promise.all(Array.from({ length: 20 }, () => access.signIn(code, ownerToken)));
    expect(cookies.filter((cookie) => cookie !== undefined)).toHaveLength(1);
    expect(await access.listBrowsers()).toHaveLength(1);
  });

  it('is neither a token nor a cookie, and they are no codes', async () => {
    const { access } = await setUp();
    const { token } = await access.create({ name: 'ci', isReadOnly: false }, actor);
    const code = await access.createCode(ownerPass);
    expect(await access.verify(code)).toBeUndefined();
    expect(await access.verifyBrowser(code, ownerToken)).toBeUndefined();
    const cookie = (await access.signIn(code, ownerToken)) ?? '';
    expect(await access.verify(cookie)).toBeUndefined();
    expect(await access.signIn(cookie, ownerToken)).toBeUndefined();
    expect(await access.signIn(token, ownerToken)).toBeUndefined();
    expect(await access.verifyBrowser(token, ownerToken)).toBeUndefined();
    expect(await access.verifyBrowser(cookie, ownerToken)).toMatchObject({ tokenId: 'owner', isReadOnly: false });
    expect(
      await access.verifyBrowser(
        cookie.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
        ownerToken,
      ),
    ).toBe(undefined);
  });

  it('of a token that is revoked is refused, used up or new', async () => {
    const { access } = await setUp();
    const { token } = await access.create({ name: 'ci', isReadOnly: false }, actor);
    const pass = await access.verify(token);
    if (!pass) throw new Error('The token is not good.');
    const code = await access.createCode(pass);
    await access.revoke('ci', actor);
    expect(await access.signIn(code, ownerToken)).toBeUndefined();
    await expect(access.createCode(pass)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('has been revoked'),
    });
    await expect(access.createCode({ tokenId: 'anyone', isReadOnly: false })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('without a token'),
    });
  });
});

describe('the session of a browser', () => {
  it('is recorded when it begins and when it is revoked, and never by its secret', async () => {
    const { access, db } = await setUp();
    const cookie = (await access.signIn(await access.createCode(ownerPass), ownerToken)) ?? '';
    const [browser] = await access.listBrowsers();
    expect(await access.revoke(browser?.id ?? '', actor)).toEqual({ kind: 'browser', id: browser?.id, name: 'owner' });
    expect(await access.verifyBrowser(cookie, ownerToken)).toBeUndefined();
    expect(await eventsOf(db)).toEqual([
      ['browser_signed_in', { browser: browser?.id, token: 'owner', read_only: false }],
      ['browser_revoked', { browser: browser?.id, name: 'owner' }],
    ]);
    const error = { code: 'not_found', message: expect.stringContaining('no browser with that id') };
    await expect(access.revoke(browser?.id ?? '', actor)).rejects.toMatchObject(error);
  });

  it('of another owner is refused', async () => {
    const { access } = await setUp();
    const cookie = (await access.signIn(await access.createCode(ownerPass), ownerToken)) ?? '';
    expect(await access.verifyBrowser(cookie, 'x'.repeat(43))).toBeUndefined();
  });

  it('leaves no row behind once it has ended and another code is asked for', async () => {
    const { access, clock, db } = await setUp();
    await access.signIn(await access.createCode(ownerPass), ownerToken);
    await access.createCode(ownerPass);
    clock.pass(12 * 3_600_000);
    await access.createCode(ownerPass);
    expect(await db.all('select id from browser_sessions')).toEqual([]);
    expect(await db.all('select id from access_codes')).toHaveLength(1);
  });
});

describe('a token with an end', () => {
  it('lets nobody in from then on, nor its browsers, and leaves its name to another', async () => {
    const { access, clock } = await setUp();
    const { id, token } = await access.create({ name: 'guest', isReadOnly: false, lifeMs: 60_000 }, actor);
    const pass = await access.verify(token);
    expect(pass).toMatchObject({ name: 'guest' });
    const cookie = (await access.signIn(await access.createCode({ tokenId: id, isReadOnly: false }), ownerToken)) ?? '';
    const browser = await access.verifyBrowser(cookie, ownerToken);
    expect(await access.listBrowsers()).toMatchObject([{ expiresAt: clock.now() + 60_000 }]);
    clock.pass(60_000);
    expect(await access.verify(token)).toBeUndefined();
    expect(await access.verifyBrowser(cookie, ownerToken)).toBeUndefined();
    for (const one of [pass, browser]) expect(one && (await access.isGood(one))).toBe(false);
    await expect(access.createCode({ tokenId: id, isReadOnly: false })).rejects.toMatchObject({ code: 'invalid' });
    await access.create({ name: 'guest', isReadOnly: true }, actor);
    expect(await access.list()).toMatchObject([{ name: 'guest', expiresAt: null }]);
  });

  it('has a name that a shell and a table can show', async () => {
    const { access } = await setUp();
    for (const name of ['', 'a\nb', '<b>', 'x'.repeat(61)]) {
      await expect(access.create({ name, isReadOnly: false }, actor)).rejects.toMatchObject({ code: 'invalid' });
    }
  });
});
