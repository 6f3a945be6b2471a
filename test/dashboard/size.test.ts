import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { expect, inject, it, onTestFinished } from 'vitest';
import { describeInBrowser, openPage } from './open-page.js';

it('the whole page is under 120 kB, packed as it travels', () => {
  const folder = join(inject('dist'), 'dashboard');
  const sizes = readdirSync(folder).map((name) => gzipSync(readFileSync(join(folder, name))).length);
  expect(sizes.length).toBeGreaterThanOrEqual(4);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(120_000);
});

/** The files that a page has loaded, with their sizes as they travelled; none of them twice. */
async function loadedBy(page: Page): Promise<Map<string, number>> {
  const entries = await page.evaluate<{ name: string; encodedBodySize: number }[]>(
    "['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type)).map((entry) => entry.toJSON())",
  );
  const files = entries
    .map(({ name, encodedBodySize }) => [new URL(name).pathname, encodedBodySize] as const)
    .filter(([path]) => !path.startsWith('/api/'));
  expect(new Set(files.map(([path]) => path)).size).toBe(files.length);
  return new Map(files);
}

describeInBrowser('the first view', () => {
  it('loads under 60 kB, and another view no more than it lacks', async () => {
    const { context, server } = await openPage();
    const fresh = await context.browser()?.newContext();
    if (!fresh) throw new Error('The context has no browser.');
    onTestFinished(() => fresh.close());
    const page = await fresh.newPage();
    await page.goto(await server.ownerUrl());
    await page.getByRole('button', { name: 'Live' }).waitFor();
    await page.getByRole('heading', { name: 'Now', exact: true }).waitFor();
    const first = await loadedBy(page);
    const total = [...first.values()].reduce((sum, size) => sum + size, 0);
    expect(total).toBeGreaterThan(10_000);
    expect(total).toBeLessThan(60_000);
    await page.getByRole('link', { name: 'Relays' }).click();
    await page.getByText('create_relay_pipeline').first().waitFor();
    expect((await loadedBy(page)).size).toBeGreaterThan(first.size);
  });
});
