import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';
import type { Figure } from './protocol.js';
import { type MeasuredServer, startMeasured } from './server-process.js';
import { median } from './statistics.js';

const browserPath = '/usr/bin/chromium';
const program = 'dist/main.js';
const idleSeconds = 10;

/** What the dashboard costs, and how soon it shows what happens; nothing where there is no browser. */
export async function measureDashboard(): Promise<Figure[]> {
  if (!existsSync(browserPath)) return [];
  const home = mkdtempSync(join(tmpdir(), 'agent-runtime-bench-'));
  const session = await startMeasured(program, { HOME: home });
  const { child, url } = await startDashboard(home);
  const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
  try {
    for (let index = 0; index < 200; index++) await session.call('create_task', { title: `Task ${index}` });
    // What is looked for is looked for by code that the page's own rules would not run.
    const page = await browser.newPage({ bypassCSP: true });
    const loads: number[] = [];
    for (let round = 0; round < 10; round++)
      loads.push(await timeLoad(page, round === 0 ? url : new URL('/', url).href));
    const delays: number[] = [];
    for (let round = 0; round < 20; round++) delays.push(await timeEvent(page, session, `Seen ${round}`));
    const cpuBefore = cpuSeconds(child);
    await sleep(idleSeconds * 1000);
    const idleCpu = (cpuSeconds(child) - cpuBefore) / idleSeconds;
    const { beside, without } = await timeBeside(session, child);
    return [
      figure('dashboard: first load until the board is there, p50', `${median(loads).toFixed(0)} ms`),
      figure(
        'dashboard: from a change by another process until it is on the screen, p50',
        `${median(delays).toFixed(0)} ms`,
      ),
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

async function startDashboard(home: string): Promise<{ child: ChildProcess; url: string }> {
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

async function timeLoad(page: Page, url: string): Promise<number> {
  const startedAt = performance.now();
  await page.goto(url);
  await untilShown(page, 'Task 0');
  return performance.now() - startedAt;
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

function figure(what: string, ours: string): Figure {
  return { what, ours, reference: '', ratio: undefined, aim: '' };
}
