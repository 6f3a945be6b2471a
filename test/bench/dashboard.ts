import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { chromium, type Page } from 'playwright-core';
import { loadDriver } from '../../src/store/sqlite/driver.js';
import type { Figure } from './protocol.js';
import { type MeasuredServer, startMeasured } from './server-process.js';
import { median } from './statistics.js';

const browserPath = '/usr/bin/chromium';
const program = 'dist/main.js';
/** After work the engine collects its garbage, once, before it is idle. */
const restSeconds = 20;
const idleSeconds = 20;
const tasks = 20_000;
const tabs = 6;
/** Of changes; the board shows 25 of both series together. */
const rounds = 12;
const changesPerSecond = 25;
const busySeconds = 10;

/** What the dashboard costs, and how soon it shows what happens, on a board of 20,000 tasks; nothing without a browser. */
export async function measureDashboard(): Promise<Figure[]> {
  if (!existsSync(browserPath)) return [];
  const home = mkdtempSync(join(tmpdir(), 'agent-runtime-bench-'));
  await fillWithTasks(home);
  const session = await startMeasured(program, { HOME: home });
  const { child, url } = await startDashboard(home);
  const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
  try {
    // What is looked for is looked for by code that the page's own rules would not run.
    const context = await browser.newContext({ bypassCSP: true });
    const page = await context.newPage();
    const first: number[] = [];
    const loads: number[] = [];
    for (let round = 0; round < 10; round++) {
      first.push(await timeLoad(page, round === 0 ? url : new URL('/', url).href, 'In the last hour'));
      loads.push(await timeLoad(page, new URL('/board', url).href, 'Ready'));
    }
    const delays = await timeEvents(page, session, 'Seen');
    const others: Page[] = [];
    for (let tab = 1; tab < tabs; tab++) {
      const other = await context.newPage();
      await timeLoad(other, new URL('/board', url).href, 'Ready');
      await hide(other);
      others.push(other);
    }
    await page.bringToFront();
    const among = await timeEvents(page, session, 'Seen among six');
    for (const other of others) await other.close();
    const busy = await measureBusy(page, session, child);
    await sleep(restSeconds * 1000);
    const cpuBefore = cpuSeconds(child);
    await sleep(idleSeconds * 1000);
    const idleCpu = (cpuSeconds(child) - cpuBefore) / idleSeconds;
    const { beside, without } = await timeBeside(session, child);
    const bytes = pageBytes();
    return [
      figure('dashboard: first view at 20,000 tasks, p50', `${median(first).toFixed(0)} ms`, '<= 1,000 ms'),
      figure('dashboard: board of 20,000 tasks, p50', `${median(loads).toFixed(0)} ms`, '<= 1,000 ms'),
      figure(
        'dashboard: from a change by another process until it is on the screen, p50',
        `${median(delays).toFixed(0)} ms`,
        '<= 400 ms',
      ),
      {
        what: `dashboard: the same with ${tabs} tabs open, one of them seen, against one`,
        ours: `${median(among).toFixed(0)} ms`,
        reference: `${median(delays).toFixed(0)} ms`,
        ratio: median(among) / median(delays),
        aim: '1.0',
      },
      figure(
        `dashboard: board open at ${changesPerSecond} changes a second`,
        `page ${(busy.page * 100).toFixed(0)} %, server ${(busy.server * 100).toFixed(0)} % of a core`,
        '< 30 %',
      ),
      figure('dashboard: the whole page, packed', `${(bytes / 1000).toFixed(1)} kB`, '< 120 kB'),
      figure('dashboard: idle with a page open', `${(idleCpu * 100).toFixed(2)} % of a core, ${rssMb(child)} MB`),
      {
        what: 'get_task p50 of another session, with a dashboard open against without',
        ours: `${beside.toFixed(3)} ms`,
        reference: `${without.toFixed(3)} ms`,
        ratio: beside / without,
        aim: '',
      },
    ];
  } finally {
    await browser.close();
    child.kill('SIGTERM');
    await session.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

/** As a browser does with the tab that one leaves; without windows it takes all of them for seen. */
async function hide(page: Page): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, 'hidden', { get: () => true });
    Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' });
    document.dispatchEvent(new Event('visibilitychange'));
  `);
}

/** A board in the middle of its work: most tasks are done. */
async function fillWithTasks(home: string): Promise<void> {
  mkdirSync(join(home, '.claude'), { recursive: true, mode: 0o700 });
  const server = await startMeasured(program, { HOME: home });
  await server.call('create_goal', { name: 'Goal', description: '' });
  await server.stop();
  const { connect } = await loadDriver();
  const db = connect(join(home, '.claude', 'agent_runtime.db'));
  db.exec(`
    insert into tasks (goal_id, title, status, priority, created_at, updated_at, completed_at)
      with recursive n (n) as (select 0 union all select n + 1 from n where n < ${tasks - 1})
      select 1, 'Task ' || n, case when n % 10 < 7 then 'completed' when n % 10 = 7 then 'failed' else 'pending' end,
        1 + n % 4, n, n, case when n % 10 < 8 then n end from n;`);
  db.close();
}

/** How busy the page and the server are while tasks are added all the time, as shares of a core. */
async function measureBusy(page: Page, session: MeasuredServer, dashboard: ChildProcess) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  const busyOf = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN;
  };
  const [pageBefore, serverBefore, startedAt] = [await busyOf(), cpuSeconds(dashboard), performance.now()];
  for (let change = 0; change < changesPerSecond * busySeconds; change++) {
    await session.call('create_task', { title: `Change ${change}`, priority: 1 });
    await sleep(Math.max(0, startedAt + ((change + 1) * 1000) / changesPerSecond - performance.now()));
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const used = { page: (await busyOf()) - pageBefore, server: cpuSeconds(dashboard) - serverBefore };
  await devtools.detach();
  return { page: used.page / seconds, server: used.server / seconds };
}

/** As it travels. */
function pageBytes(): number {
  const folder = join('dist', 'dashboard');
  return readdirSync(folder).reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0);
}

export async function startDashboard(home: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [program, 'dashboard', '--port', '0', '--json'], {
    env: { PATH: process.env.PATH ?? '', HOME: home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = await new Promise<string>((resolve) => {
    let text = '';
    child.stdout?.on('data', (data: Buffer) => {
      text += data.toString();
      if (text.includes('}')) resolve(text);
    });
  });
  return { child, url: JSON.parse(said).owner_url };
}

async function timeLoad(page: Page, url: string, text: string): Promise<number> {
  const startedAt = performance.now();
  await page.goto(url);
  await page.waitForFunction(
    `document.querySelector('main')?.textContent.includes(${JSON.stringify(text)}) && !document.querySelector('main .skeleton')`,
    undefined,
    { polling: 'raf' },
  );
  return performance.now() - startedAt;
}

async function timeEvents(page: Page, session: MeasuredServer, name: string): Promise<number[]> {
  const delays: number[] = [];
  for (let round = 0; round < rounds; round++) delays.push(await timeEvent(page, session, `${name} ${round}.`));
  return delays;
}

async function timeEvent(page: Page, session: MeasuredServer, title: string): Promise<number> {
  // Above the others, so that it is among the cards that are shown.
  await session.call('create_task', { title, priority: 10 });
  const startedAt = performance.now();
  await untilShown(page, title);
  return performance.now() - startedAt;
}

/** Looked for in every frame: a locator looks again only after half a second. */
async function untilShown(page: Page, text: string): Promise<void> {
  const isShown = `document.body.textContent.includes(${JSON.stringify(text)})`;
  await page.waitForFunction(isShown, undefined, { polling: 'raf' });
}

/** In turns with the dashboard stopped in its tracks, so that both are measured on the same machine. */
async function timeBeside(session: MeasuredServer, dashboard: ChildProcess) {
  const beside: number[] = [];
  const without: number[] = [];
  for (let round = 0; round < 4; round++) {
    dashboard.kill('SIGSTOP');
    without.push(await timeCalls(session));
    dashboard.kill('SIGCONT');
    beside.push(await timeCalls(session));
  }
  return { beside: median(beside), without: median(without) };
}

async function timeCalls(session: MeasuredServer): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < 4_000; index++) {
    const startedAt = performance.now();
    await session.call('get_task', { task_id: 1 + (index % 100) });
    if (index >= 1_000) times.push(performance.now() - startedAt);
  }
  return median(times);
}

/** User and system time of a process so far, at 100 ticks a second. */
function cpuSeconds({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function rssMb({ pid }: ChildProcess): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);
}

function figure(what: string, ours: string, aim = ''): Figure {
  return { what, ours, reference: '', ratio: undefined, aim };
}
