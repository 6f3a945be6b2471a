import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import AxeBuilder from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { describe, inject, onTestFinished } from 'vitest';
import { type PageFiles, readPageFiles } from '../../src/http/page-files.js';
import { type ServedRuntime, serve } from '../http/serve.js';

const windowed = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
/** The form without windows needs half the time. */
const browserPath = ['/usr/bin/chromium-headless-shell'].find(existsSync) ?? windowed;
if (browserPath === undefined) {
  process.stderr.write('Tests of the dashboard are skipped: no chromium here (Debian: apt-get install chromium).\n');
}

/** Tests in a real browser; skipped, with one line that says so, where there is none. */
export const describeInBrowser = describe.skipIf(browserPath === undefined);

/** Whether there is a browser that keeps a profile as people have it. */
export const hasProfiles = windowed !== undefined;

const launchOptions = (executablePath: string | undefined) => ({
  ...(executablePath === undefined ? {} : { executablePath }),
  // The tests may run as root, in a container, which has nothing to draw with but the processor.
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--in-process-gpu'],
});

/** For what never comes: what is late on a busy machine is no failure. */
const longestMs = 120_000;

let launching: Promise<Browser> | undefined;

/** One for all files that this process runs; it ends with it. */
function browser(): Promise<Browser> {
  launching ??= chromium.launch(launchOptions(browserPath));
  return launching;
}

/** A browser with a profile of its own on disk, as a person has it: what it keeps can be read when it is closed. */
export async function openProfile(directory: string): Promise<BrowserContext> {
  const context = await chromium.launchPersistentContext(directory, launchOptions(windowed));
  context.setDefaultTimeout(longestMs);
  onTestFinished(() => context.close());
  return context;
}

/** The built page. */
export const pageFiles = (): PageFiles => readPageFiles(pathToFileURL(join(inject('dist'), 'dashboard/')));

export interface OpenedPage extends ServedRuntime {
  page: Page;
  context: BrowserContext;
  /** Errors of the page's own code, and what its console was told of. */
  problems: string[];
  /** Opens a view of the page. */
  open(path: string): Promise<void>;
}

/** The built page, served with a runtime of its own and opened by its owner. */
export async function openPage(
  path = '/',
  options: Parameters<typeof serve>[0] = {},
  runtimeOptions: Parameters<typeof serve>[1] = {},
): Promise<OpenedPage> {
  const served = await serve({ page: pageFiles(), ...options }, runtimeOptions);
  // What moves is drawn sixty times a second.
  const context = await (await browser()).newContext({ reducedMotion: 'reduce' });
  onTestFinished(() => context.close());
  context.setDefaultTimeout(longestMs);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  // The cookie comes without a page that nobody looks at.
  await context.request.get(await served.server.ownerUrl());
  const open = async (address: string) => {
    await page.goto(`${served.server.url}${address}`);
  };
  await open(path);
  return { ...served, page, context, problems, open };
}

/** What axe finds that keeps people out: serious and critical violations, as lines; by these rules alone, if any are named. */
export async function accessibilityProblems(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate('"axe" in globalThis'))) await page.evaluate(AxeBuilder.source);
  const { violations } = await page.evaluate(
    (only) =>
      (globalThis as unknown as { axe: typeof AxeBuilder }).axe.run(
        // What passes is not told, which would be most of the time.
        { resultTypes: ['violations'], ...(only ? { runOnly: { type: 'rule', values: [...only] } } : {}) },
      ),
    rules,
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
}

/** What the page saves of a view as JSON. */
export async function savedJson(page: Page): Promise<string> {
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download JSON' }).last().click();
  return readFileSync(await (await saved).path(), 'utf8');
}
