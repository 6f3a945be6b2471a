import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { recordEvent } from '../../src/core/events/events.js';
import { eventually } from '../support/eventually.js';
import { jobStoreOf } from '../support/job-store.js';
import { describeInBrowser, openPage } from './open-page.js';

const nobody = { holder: null, project: '' };
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

  it('leaves a page nothing to ask and nothing to draw while nothing happens that it shows', async () => {
    const { page, open, runtime } = await openPage('/activity');
    await runtime.tasks.create([{ title: 'Waits for somebody' }], nobody);
    await page.clock.install();
    const unanswered = new Set<unknown>();
    page.on('request', (request) => request.url().includes('/api/page/') && unanswered.add(request));
    page.on('requestfinished', (request) => unanswered.delete(request));
    page.on('framenavigated', () => unanswered.clear());
    await open('/board');
    await page.getByRole('link', { name: 'Waits for somebody' }).waitFor();
    await page.getByRole('button', { name: 'Live' }).waitFor();
    await eventually('all is answered', () => unanswered.size === 0);
    await page.clock.runFor(1_000);
    // The page tells other tabs of what it hears.
    await page.evaluate(`
      globalThis.heard = 0;
      new BroadcastChannel('agent-runtime-events').onmessage = ({ data }) => data.kind === 'change' && globalThis.heard++;
    `);
    await countDrawn(page, 'body');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    for (let count = 1; count <= 4; count++) {
      await page.clock.runFor(20_000);
      // What no part of this view shows is a sign of life.
      const routed = { at: runtime.clock.now(), subject: 'tool', subjectId: count, type: 'routed' } as const;
      await runtime.db.transaction((sql) => recordEvent(sql, routed));
      await eventually('the page hears of it', async () => (await page.evaluate('globalThis.heard')) === count);
    }
    expect(asked).toEqual([]);
    expect(await page.evaluate('globalThis.drawn')).toBe(0);
    // Once it hears nothing any more it asks.
    await page.route('**/api/events*', (route) => route.abort());
    await page.clock.runFor(26_000);
    await page.getByRole('button', { name: 'Reconnecting' }).waitFor();
    await page.clock.runFor(31_000);
    await eventually('it asks', () => asked.includes('/api/page/board') && asked.includes('/api/page/attention'));
  });

  it('brings no answer again that has not changed, and draws nothing for it', async () => {
    const { page, open, runtime } = await openPage('/activity');
    const submit = async (prompt: string) => {
      const later = { runAt: runtime.clock.now() + 3_600_000 };
      return (await jobStoreOf(runtime).submit({ type: 'llm', payload: { prompt }, ...later }, nobody)).job.id;
    };
    const id = await submit('The one that is shown');
    const end = (output: string) =>
      runtime.db.run(
        "update jobs set status = 'completed', result = '{}', output = ?, completed_at = 1, read_at = 1 where id = ?",
        output,
        id,
      );
    await end('Text');
    const answers: number[] = [];
    page.on('response', (response) => {
      if (new URL(response.url()).pathname === '/api/page/job') answers.push(response.status());
    });
    await open(`/jobs/${id}`);
    await page.getByRole('heading', { name: 'The one that is shown' }).waitFor();
    await page.getByRole('button', { name: 'Live' }).waitFor();
    await eventually('it is read', () => answers.length > 0);
    await countDrawn(page, 'article.job');
    const before = answers.length;
    await submit('Another');
    await eventually('it is read again', () => answers.length > before);
    expect(answers.slice(before)).toEqual([304]);
    expect(await page.evaluate('globalThis.drawn')).toBe(0);
    await runtime.db.run("update jobs set type = 'backtest', payload = '{}' where id = ?", id);
    await submit('A third');
    await page.getByRole('heading', { name: 'The one that is shown' }).waitFor({ state: 'hidden' });
    expect(answers.at(-1)).toBe(200);
  });
});

/** Counts what changes in a part of the document from now on, as `drawn`. */
async function countDrawn(page: Page, part: string): Promise<void> {
  await page.evaluate(`
    globalThis.drawn = 0;
    new MutationObserver((records) => { globalThis.drawn += records.length;}).observe(
      document.querySelector('${part}'), { childList: true, attributes: true, characterData: true, subtree: true });
  `);
}
