import { expect, it } from 'vitest';
import { expectGoodLooks } from './looks.js';
import { describeInBrowser, openPage } from './open-page.js';
import { sampleBoard } from './sample-board.js';

const phone = { width: 390, height: 844 };

describeInBrowser('the page around the views', () => {
  it('names the browser tab by what it shows', async () => {
    const { page, runtime, open } = await openPage('/activity');
    const { goal, ids } = await sampleBoard(runtime);
    await open(`/board/task/${ids.gateway}`);
    await expect.poll(() => page.title()).toBe('(2) Write the gateway to the provider · Board · Agent Runtime');
    await open(`/goals/${goal}`);
    await expect.poll(() => page.title()).toBe('(2) Take payments in the shop · Goals · Agent Runtime');
    await page.getByRole('link', { name: 'Jobs' }).click();
    await expect.poll(() => page.title()).toBe('(2) Jobs · Agent Runtime');
  });

  it('keeps the theme and the time zone that are set, in this browser', async () => {
    const { page, open } = await openPage('/now');
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    await page.emulateMedia({ colorScheme: 'light' });
    const light = await ground();
    await page.getByText('Display', { exact: true }).click();
    await page.getByRole('button', { name: 'Dark' }).click();
    expect(await ground()).not.toBe(light);
    await page.getByRole('button', { name: 'UTC' }).click();
    await expectGoodLooks(page, 'display-menu');
    await open('/now');
    expect(await ground()).not.toBe(light);
    expect(await page.evaluate('localStorage.getItem("time-zone")')).toBe('UTC');
    await page.getByText('Display', { exact: true }).click();
    await page.getByRole('button', { name: 'System' }).click();
    expect(await ground()).toBe(light);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('button', { name: 'UTC' }).isVisible()).toBe(false);
  });

  it('has all views behind one button on a phone', async () => {
    const { page, problems } = await openPage('/now');
    await page.setViewportSize(phone);
    const metrics = page.getByRole('link', { name: 'Metrics' });
    expect(await metrics.isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Now' }).click();
    const links = page.getByRole('navigation', { name: 'Views' }).getByRole('link');
    for (const link of await links.all()) {
      const box = await link.boundingBox();
      expect(box && box.x >= 0 && box.x + box.width <= phone.width).toBe(true);
    }
    await metrics.click();
    await expect.poll(() => metrics.isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Metrics' }).waitFor();
    expect(problems).toEqual([]);
  });

  it('shows every view of the navigation at any width, without scrolling', async () => {
    const { page } = await openPage('/now');
    for (const width of [1440, 1024, 700]) {
      await page.setViewportSize({ width, height: 800 });
      for (const link of await page.getByRole('navigation', { name: 'Views' }).getByRole('link').all()) {
        const box = await link.boundingBox();
        expect(box && box.x >= 0 && box.x + box.width <= width, `${await link.textContent()} at ${width}`).toBe(true);
      }
    }
  });

  it('says that it is stale, and since when, while the server does not answer', async () => {
    const { page, server } = await openPage('/board');
    await page.getByRole('button', { name: 'Live' }).waitFor();
    await server.close();
    await page.getByText('Not connected.').waitFor();
    await page.getByText(/What is shown is from \d\d:\d\d, .* ago\./).waitFor();
    expect(await page.locator('main.is-stale').count()).toBe(1);
    await expectGoodLooks(page, 'offline');
  });

  it('notifies of what newly needs a person, once over all tabs, and only where that was switched on', async () => {
    const { page, context, server, runtime } = await openPage('/now');
    // A browser without windows has nowhere to show them, and denies them: what the page asks for is taken down.
    await context.addInitScript(`
      globalThis.shown = [];
      globalThis.Notification = class {
        static get permission() {
          return localStorage.getItem('asked') ? 'granted' : 'default';
        }
        static async requestPermission() {
          localStorage.setItem('asked', 'yes');
          return this.permission;
        }
        constructor(title) {
          shown.push(title);
        }
      };
    `);
    const tabs = [page, await context.newPage()];
    for (const tab of tabs) {
      await tab.goto(`${server.url}/now`);
      await tab.getByText('Nothing needs you.').waitFor();
    }
    const send = (subject: string) =>
      runtime.messages.send({ to: 'user', subject, body: 'b' }, { holder: null, project: '' });
    const all = async () => (await Promise.all(tabs.map((tab) => tab.evaluate('globalThis.shown')))).flat();
    await send('Before');
    for (const tab of tabs) await tab.locator('.need').getByText('Before').waitFor();
    expect(await all()).toEqual([]);
    expect(await page.evaluate('localStorage.getItem("asked")')).toBe(null);
    await page.getByText('Display', { exact: true }).click();
    await page.getByLabel('Notify me of what needs me').click();
    await expect.poll(() => page.evaluate('localStorage.getItem("notifications")')).toBe('on');
    await send('After');
    for (const tab of tabs) await tab.locator('.need').getByText('After').waitFor();
    await expect.poll(all).toEqual(['Message to you: After']);
  });

  it('can be installed: its manifest and its icons are there', async () => {
    const { page, server } = await openPage('/now');
    const href = await page.getAttribute('link[rel="manifest"]', 'href');
    const manifest = await (await page.request.get(`${server.url}${href}`)).json();
    expect(manifest).toMatchObject({ name: 'Agent Runtime', start_url: '/now', display: 'standalone' });
    for (const { src } of manifest.icons) expect((await page.request.get(`${server.url}${src}`)).status()).toBe(200);
    expect((await page.request.get(`${server.url}/icon-mark.svg`)).status()).toBe(200);
  });
});
