import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { describeInBrowser, openPage } from './open-page.js';

const isStream = (url: string) => new URL(url).pathname === '/api/events';

describeInBrowser('the stream of changes', () => {
  it('is one for all tabs, so that the seventh tab still loads and all of them see a change', async () => {
    const { page, context, server, runtime } = await openPage('/activity');
    await page.close();
    const streams: string[] = [];
    context.on('request', (request) => {
      if (isStream(request.url())) streams.push(request.url());
    });
    const tabs = await Promise.all(Array.from({ length: 7 }, () => context.newPage()));
    for (const tab of tabs) {
      await tab.goto(`${server.url}/board`);
      await tab.getByText('The board is empty').waitFor();
      await tab.getByRole('button', { name: 'Live' }).waitFor();
    }
    await runtime.tasks.create([{ title: 'Seen by all' }], { holder: null, project: '' });
    for (const tab of tabs) await tab.getByRole('link', { name: 'Seen by all' }).waitFor();
    expect(streams).toHaveLength(1);
    // The tab with the stream goes; another one opens its own, from where it was.
    await tabs[0]?.close();
    await eventually('another tab has a stream', () => streams.length === 2);
    await runtime.tasks.create([{ title: 'Seen by the rest' }], { holder: null, project: '' });
    for (const tab of tabs.slice(1)) await tab.getByRole('link', { name: 'Seen by the rest' }).waitFor();
  });

  it('is opened again after any answer, and what came meanwhile is shown', async () => {
    const { page, open, runtime } = await openPage('/activity');
    let isBroken = true;
    await page.route('**/api/events*', (route) => (isBroken ? route.fulfill({ status: 502 }) : route.continue()));
    await open('/board');
    await page.getByRole('button', { name: 'Reconnecting' }).waitFor();
    await page.getByText('The board is empty').waitFor();
    await runtime.tasks.create([{ title: 'Made meanwhile' }], { holder: null, project: '' });
    isBroken = false;
    await page.getByRole('link', { name: 'Made meanwhile' }).waitFor();
    await page.getByRole('button', { name: 'Live' }).waitFor();
  });

  it('that has gone silent is not called live', async () => {
    const { page, open } = await openPage('/activity');
    await page.clock.install();
    await open('/board');
    await page.getByRole('button', { name: 'Live' }).waitFor();
    // The server goes on telling that it is there; nothing of it arrives any more.
    await page.route('**/api/events*', () => new Promise(() => {}));
    await page.evaluate(() => {
      globalThis.EventSource.prototype.addEventListener = () => {};
    });
    await page.clock.fastForward(26_000);
    await page.getByRole('button', { name: 'Reconnecting' }).waitFor();
  });

  it('costs no second read of what is shown', async () => {
    const { page, open } = await openPage('/activity');
    const reads: string[] = [];
    page.on('request', (request) => {
      const { pathname } = new URL(request.url());
      if (pathname.startsWith('/api/page/') || pathname.startsWith('/api/tools/')) reads.push(pathname);
    });
    // What the page before has read is not this one's.
    page.on('framenavigated', () => reads.splice(0));
    await open('/board');
    await page.getByText('The board is empty').waitFor();
    await page.getByRole('button', { name: 'Live' }).waitFor();
    expect(reads).not.toEqual([]);
    expect(reads.toSorted()).toEqual([...new Set(reads)].toSorted());
  });
});
