import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { silentLog } from '../../src/base/log.js';
import { readConfig } from '../../src/config.js';
import { startHttpServer } from '../../src/http/http-server.js';
import { readPageFiles } from '../../src/http/page-files.js';
import { openRuntime } from '../../src/runtime.js';
import { addressesOf, untilRead } from '../dashboard/addresses.js';
import { lateClock } from '../dashboard/late-clock.js';
import { sampleAge, sampleEnv, sampleHome } from '../dashboard/sample-home.js';

// Pictures of every view, for people to look at: npm run screens -- [--only NAME,NAME] [--size 390] [--theme dark]
const option = (name: string): string[] | undefined => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : (process.argv[at + 1] ?? '').split(',');
};
const sizes = [
  { width: 1440, height: 900 },
  { width: 1024, height: 768 },
  { width: 390, height: 844 },
].filter(({ width }) => option('size')?.includes(String(width)) ?? true);
const themes = (['light', 'dark'] as const).filter((theme) => option('theme')?.includes(theme) ?? true);
const only = option('only');
const executablePath = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find(existsSync);

const home = mkdtempSync(join(tmpdir(), 'agent-runtime-screens-home-'));
const pictures = mkdtempSync(join(tmpdir(), 'agent-runtime-screens-'));
const clock = lateClock(sampleAge);
const config = readConfig({}, { HOME: home, PATH: '/usr/bin:/bin', ...sampleEnv });
const runtime = await openRuntime({ config, log: silentLog, runnerEntry: resolve('dist/job-runner.js'), clock });
const server = await startHttpServer({
  runtime,
  config,
  log: silentLog,
  host: '127.0.0.1',
  port: 0,
  isExactPort: true,
  allowedHosts: [],
  isReadOnly: false,
  needsToken: true,
  page: readPageFiles(pathToFileURL(`${resolve('dist/dashboard')}/`)),
});
const browser = await chromium.launch({
  ...(executablePath ? { executablePath } : {}),
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});
try {
  const addresses = addressesOf(await sampleHome(runtime, clock)).filter(({ name }) => only?.includes(name) ?? true);
  const context = await browser.newContext({ reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.on('pageerror', ({ message }) => console.log(`${page.url()}: ${message}`));
  await page.goto(await server.ownerUrl());
  for (const { name, path } of addresses) {
    await page.goto(`${server.url}${path}`);
    for (const colorScheme of themes) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      for (const size of sizes) {
        await page.setViewportSize(size);
        await untilRead(page);
        await page.waitForTimeout(250);
        const folder = join(pictures, `${size.width}-${colorScheme}`);
        mkdirSync(folder, { recursive: true });
        await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
        const width = Number(await page.evaluate('document.documentElement.scrollWidth'));
        if (width > size.width) console.log(`${name} is ${width} wide at ${size.width}`);
      }
    }
  }
  console.log(pictures);
} finally {
  await browser.close();
  await server.close();
  await runtime.close();
  rmSync(home, { recursive: true, force: true });
}
