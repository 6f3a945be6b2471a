import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { accessibilityProblems } from './open-page.js';

/** Pictures for people to look at; what a test can tell is tested beside them. */
const pictures = join(tmpdir(), 'page-shots');
const phone = { width: 375, height: 740 };
const desk = { width: 1360, height: 850 };

/**
 * Looks at a view in light and dark and at a phone's width: nothing that keeps people out, nothing wider than the
 * phone. Leaves a picture of each in the system's temporary directory.
 */
export async function expectGoodLooks(page: Page, name: string): Promise<void> {
  mkdirSync(pictures, { recursive: true });
  await page.setViewportSize(desk);
  for (const colorScheme of ['light', 'dark'] as const) {
    // A colour on its way to another is that of neither theme.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.screenshot({ path: join(pictures, `${name}-${colorScheme}.png`) });
    expect(await accessibilityProblems(page), `${name} in ${colorScheme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(phone);
  await page.screenshot({ path: join(pictures, `${name}-phone.png`) });
  expect(await page.evaluate('document.documentElement.scrollWidth'), `width of ${name}`).toBeLessThanOrEqual(375);
  expect(await accessibilityProblems(page), `${name} on a phone`).toEqual([]);
  await page.setViewportSize(desk);
  await page.emulateMedia({ reducedMotion: 'no-preference' });
}
