import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { serve } from '../http/serve.js';
import { eventually } from '../support/eventually.js';
import { connect } from '../support/sqlite.js';
import { tempDir } from '../support/temp-dir.js';
import { expectGoodLooks } from './looks.js';
import { describeInBrowser, hasProfiles, openPage, openProfile, pageFiles } from './open-page.js';

const evil = '"><img src=x onerror="document.title=1">\u202E\u05D0';
const actor = { holder: null, project: '' };

/** Another program's server on loopback; takes down the cookies that it is sent. */
async function strangersServer(): Promise<{ url: string; cookies: string[] }> {
  const cookies: string[] = [];
  const server = createServer((request, response) => {
    cookies.push(request.headers.cookie ?? '');
    response.setHeader('content-type', 'text/html').end('<title>Stranger</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, cookies };
}

describeInBrowser('a browser that is signed in', () => {
  it.skipIf(!hasProfiles)(
    "keeps no token: not in its address, its cookies or its history, nor sends one to another port's server",
    async () => {
      const served = await serve({ page: pageFiles() });
      const { runtime, server, ownerToken } = served;
      const { token } = await runtime.access.create({ name: 'laptop', isReadOnly: false }, actor);
      const profile = join(tempDir(), 'profile');
      const context = await openProfile(profile);
      const page = await context.newPage();
      const used = await server.ownerUrl();
      await page.goto(used);
      await page.getByRole('button', { name: 'Live' }).waitFor();
      expect(page.url()).toMatch(new RegExp(`^${server.url}/[a-z]*$`));
      const stranger = await strangersServer();
      await page.goto(stranger.url);
      const [cookie, ...others] = await context.cookies();
      expect(others).toEqual([]);
      expect(cookie).toMatchObject({ name: `agent_runtime_${server.port}`, httpOnly: true, sameSite: 'Strict' });
      await context.close();

      const history = connect(join(profile, 'Default', 'History'), { readonly: true });
      const visited = history.prepare('select url from urls').pluck().all() as string[];
      history.close();
      expect(visited.some((url) => url.startsWith(server.url))).toBe(true);
      const kept = JSON.stringify([visited, cookie, stranger.cookies]);
      for (const secret of [ownerToken, token]) expect(kept).not.toContain(secret);
      for (const url of visited.filter((known) => known.startsWith(server.url) && known.includes('code='))) {
        const { pathname, search } = new URL(url);
        expect((await served.send('GET', `${pathname}${search}`, { headers: { authorization: '' } })).status).toBe(401);
      }
    },
  );

  it('is signed in to servers on two ports at once', async () => {
    const { page, server, context } = await openPage();
    const other = await serve({ page: pageFiles() });
    await page.goto(await other.server.ownerUrl());
    for (const { url } of [server, other.server]) {
      await page.goto(`${url}/board`);
      await page.getByRole('button', { name: 'Live' }).waitFor();
    }
    expect(await context.cookies()).toHaveLength(2);
  });

  it('is told so when its session is revoked', async () => {
    const { page, runtime } = await openPage('/board');
    await page.getByRole('button', { name: 'Live' }).waitFor();
    const [browser] = await runtime.access.listBrowsers();
    await runtime.access.revoke(browser?.id ?? '', actor);
    await eventually('its stream has ended', () => page.getByText('Reconnecting…').isVisible());
    await page.getByRole('link', { name: 'Jobs' }).click();
    await page.getByText('This browser is no longer signed in.').first().waitFor();
    await page.getByText('Load the page again to sign in.').first().waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Sign in to Agent Runtime' }).waitFor();
    await page.getByText('This browser is no longer signed in.').waitFor();
  });

  it('asks a person who has not come before, and lets in by a token, a code or an address with one', async () => {
    const { page, server, context, runtime } = await openPage();
    await context.clearCookies();
    const { token } = await runtime.access.create({ name: 'Grace', isReadOnly: true }, actor);
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(`${server.url}/jobs?text=${encodeURIComponent(evil)}`);
    await page.getByRole('heading', { name: 'Sign in to Agent Runtime' }).waitFor();
    await expectGoodLooks(page, 'sign-in');
    expect(await page.locator('img').count()).toBe(0);
    await page.getByLabel('Token or code').fill('art_nobody_x');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This is no token that is good here').waitFor();
    await page.getByLabel('Token or code').fill(token);
    await page.keyboard.press('Enter');
    await page.getByText('read-only').first().waitFor();
    expect(new URL(page.url()).searchParams.get('text')).toBe(evil);

    await context.clearCookies();
    const address = await server.ownerUrl();
    await page.goto(`${server.url}/board`);
    await page.getByLabel('Token or code').fill(address);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByText('Signed in as owner').waitFor();
    await page.getByRole('button', { name: 'Sign out here' }).click();
    await page.getByRole('heading', { name: 'Sign in to Agent Runtime' }).waitFor();
    expect((await runtime.access.listBrowsers()).map(({ name }) => name)).toEqual(['owner', 'Grace']);
    // The address lets nobody in a second time, and says so to a person.
    await page.goto(address);
    await page.getByText('This address has been used, or is too old.').waitFor();
    expect(problems).toEqual([]);
  });
});
