import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, inject, it, onTestFinished } from 'vitest';
import { describeInBrowser, openPage } from './open-page.js';

it('the whole page is under 120 kB, packed as it travels', () => {
  const folder = join(inject('dist'), 'dashboard');
  const sizes = readdirSync(folder).map((name) => gzipSync(readFileSync(join(folder, name))).length);
  expect(sizes.length).toBeGreaterThanOrEqual(4);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(120_000);
});

describeInBrowser('the first view', () => {
  it('loads under 60 kB, and another view no more than it lacks', async () => {
    const { context, server } = await openPage();
    const fresh = await context.browser()?.newContext();
    if (!fresh) throw new Error('The context has no browser.');
    onTestFinished(() => fresh.close());
    const page = await fresh.newPage();
    const sizes: Record<string, number> = {};
    page.on('requestfinished', async (request) => {
      const { pathname } = new URL(request.url());
      if (!pathname.startsWith('/api/')) sizes[pathname] = (await request.sizes()).responseBodySize;
    });
    const total = () => Object.values(sizes).reduce((sum, size) => sum + size, 0);
    await page.goto(await server.ownerUrl());
    await page.getByRole('button', { name: 'Live' }).waitFor();
    await page.getByRole('heading', { name: 'Now', exact: true }).waitFor();
    expect(total()).toBeGreaterThan(10_000);
    expect(total()).toBeLessThan(60_000);
    const before = Object.keys(sizes);
    await page.getByRole('link', { name: 'Relays' }).click();
    await page.getByText('create_relay_pipeline').first().waitFor();
    expect(Object.keys(sizes).length).toBeGreaterThan(before.length);
  });
});
