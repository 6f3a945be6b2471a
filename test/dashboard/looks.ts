import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { accessibilityProblems } from './open-page.js';

const phone = { width: 375, height: 740 };
const desk = { width: 1360, height: 850 };
/** What a narrow screen may change: what is drawn over what, what scrolls, what is hidden. */
const ofSize = ['color-contrast', 'scrollable-region-focusable', 'aria-hidden-focus'];

/**
 * Looks at a view in light and dark and at a phone's width: nothing that keeps people out, nothing wider than the
 * phone. `npm run screens` makes pictures for people to look at.
 */
export async function expectGoodLooks(page: Page, name: string): Promise<void> {
  await page.setViewportSize(desk);
  await page.emulateMedia({ colorScheme: 'light' });
  expect(await accessibilityProblems(page), `${name} in light`).toEqual([]);
  await page.emulateMedia({ colorScheme: 'dark' });
  // Between the themes nothing but colours differs.
  expect(await accessibilityProblems(page, ['color-contrast']), `${name} in dark`).toEqual([]);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(phone);
  expect(await page.evaluate('document.documentElement.scrollWidth'), `width of ${name}`).toBeLessThanOrEqual(375);
  expect(await accessibilityProblems(page, ofSize), `${name} on a phone`).toEqual([]);
  await page.setViewportSize(desk);
}
