import { expect, it } from 'vitest';
import { addressesOf, untilRead } from './addresses.js';
import { accessibilityProblems, describeInBrowser } from './open-page.js';
import { openSample } from './open-sample.js';

const sizes = [
  { width: 1440, height: 900 },
  { width: 1024, height: 768 },
  { width: 390, height: 844 },
];

describeInBrowser('every view, over a day of work with long real errors', () => {
  it('keeps nobody out and is no wider than the screen, in both themes at three sizes', async () => {
    const { page, open, ids, problems } = await openSample('/now');
    const found: string[] = [];
    for (const { name, path } of addressesOf(ids)) {
      await open(path);
      await untilRead(page);
      for (const { width, height } of sizes) {
        await page.setViewportSize({ width, height });
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          const at = `${name} at ${width}, ${colorScheme}`;
          // Between the themes nothing but colours differs.
          const only = colorScheme === 'dark' ? ['color-contrast'] : undefined;
          found.push(...(await accessibilityProblems(page, only)).map((problem) => `${at}: ${problem}`));
        }
        const isWide = await page.evaluate(`document.documentElement.scrollWidth > ${width}`);
        if (isWide) found.push(`${name} is wider than ${width}`);
      }
    }
    expect(found).toEqual([]);
    expect(problems).toEqual([]);
  }, 600_000);
});
