import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLogFile, type LogFileOptions } from '../../src/base/log-file.js';
import { buildChild, startChild } from '../support/child.js';
import { movingClock } from '../support/moving-clock.js';
import { projectRoot } from '../support/paths.js';
import { tempDir } from '../support/temp-dir.js';

const day = 86_400_000;
const appendLines = join(projectRoot, 'test/base/children/append-lines.ts');

/** A log file in a directory of its own, on a clock that starts at noon of 2026-11-20. */
function testFile(options: Partial<LogFileOptions> = {}) {
  const clock = movingClock();
  const directory = join(tempDir(), 'logs');
  const failures: unknown[] = [];
  const file = createLogFile({ directory, now: clock.now, onFailure: (error) => failures.push(error), ...options });
  onTestFinished(() => file.close());
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  return { file, clock, directory, failures, read, names: () => readdirSync(directory).sort() };
}

it('is one file a day, for its owner alone, and not there before the first line', () => {
  const { file, directory, clock, names, read } = testFile();
  expect(() => statSync(directory)).toThrow();
  file.write('one\n');
  file.write('two\n');
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(statSync(join(directory, 'agent-runtime-2026-11-20.log')).mode & 0o777).toBe(0o600);
  clock.pass(day / 2 - 1);
  file.write('still today\n');
  clock.pass(1);
  file.write('tomorrow\n');
  clock.stepWallClock(-day);
  file.write('set back\n');
  expect(names()).toEqual(['agent-runtime-2026-11-20.log', 'agent-runtime-2026-11-21.log']);
  expect(read('agent-runtime-2026-11-20.log')).toBe('one\ntwo\nstill today\nset back\n');
  expect(read('agent-runtime-2026-11-21.log')).toBe('tomorrow\n');
});

it('is kept seven days, today among them; other files of the directory are left alone', () => {
  const { file, directory, clock, names } = testFile();
  mkdirSync(directory, { recursive: true });
  const others = ['runner.log', 'agent-runtime-2020-01-01.log.gz', 'agent-runtime-notes.log'];
  const old = ['agent-runtime-2026-11-13.log', 'agent-runtime-2026-11-13.2.log', 'agent-runtime-1999-12-31.log'];
  for (const name of [...others, ...old, 'agent-runtime-2026-11-14.log']) writeFileSync(join(directory, name), 'x\n');
  file.write('today\n');
  const kept = ['agent-runtime-2026-11-14.log', 'agent-runtime-2026-11-20.log'];
  expect(names()).toEqual([...others, ...kept].sort());
  clock.pass(day);
  file.write('tomorrow\n');
  expect(names()).toEqual([...others, 'agent-runtime-2026-11-20.log', 'agent-runtime-2026-11-21.log'].sort());
});

it('is kept as many days as the setting says', () => {
  const { file, clock, names } = testFile({ keepDays: 1 });
  file.write('today\n');
  clock.pass(day);
  file.write('tomorrow\n');
  expect(names()).toEqual(['agent-runtime-2026-11-21.log']);
});

it('goes on in another part when it is full, and a day keeps its newest three', () => {
  const { file, names } = testFile({ partBytes: 100_000 });
  const line = `${'x'.repeat(999)}\n`;
  for (let count = 0; count < 1_000; count++) file.write(line);
  const sizes = names().map((name) => Number(/\.(\d+)\.log$/.exec(name)?.[1] ?? 0));
  expect(sizes).toHaveLength(3);
  expect(Math.min(...sizes)).toBeGreaterThan(3);
});

describe('a file that cannot be written', () => {
  it('throws nothing, is reported once, and is tried again after a minute', () => {
    const { file, directory, clock, failures, read } = testFile();
    writeFileSync(directory, 'a file where the directory should be');
    for (let count = 0; count < 5; count++) file.write('lost\n');
    expect(failures).toHaveLength(1);
    rmSync(directory);
    clock.pass(59_999);
    file.write('lost\n');
    clock.pass(1);
    file.write('kept\n');
    expect(failures).toHaveLength(1);
    expect(read('agent-runtime-2026-11-20.log')).toBe('kept\n');
  });

  it('is not written through a symbolic link in its place', () => {
    const { file, directory, failures } = testFile();
    mkdirSync(directory, { recursive: true });
    const victim = join(directory, '..', 'victim');
    writeFileSync(victim, 'untouched');
    symlinkSync(victim, join(directory, 'agent-runtime-2026-11-20.log'));
    file.write('lost\n');
    expect(failures).toHaveLength(1);
    expect(readFileSync(victim, 'utf8')).toBe('untouched');
  });

  it('because the data directory above it was moved away is not made again, in the way of its return', () => {
    const data = join(tempDir(), 'data');
    mkdirSync(data);
    const { file, clock, failures } = testFile({ directory: join(data, 'logs') });
    renameSync(data, `${data}-moved`);
    file.write('lost\n');
    expect(existsSync(data)).toBe(false);
    expect(failures).toHaveLength(1);
    renameSync(`${data}-moved`, data);
    clock.pass(60_000);
    file.write('back\n');
    expect(readFileSync(join(data, 'logs/agent-runtime-2026-11-20.log'), 'utf8')).toBe('back\n');
  });

  it('because it was taken away is made again', () => {
    const { file, directory, read } = testFile();
    file.write('gone\n');
    rmSync(join(directory, 'agent-runtime-2026-11-20.log'));
    for (let count = 0; count < 100; count++) file.write(`${'x'.repeat(999)}\n`);
    expect(read('agent-runtime-2026-11-20.log').length).toBeGreaterThan(10_000);
  });
});

describe('8 processes on one file', () => {
  const linesIn = (directory: string) =>
    readdirSync(directory).flatMap((name) =>
      readFileSync(join(directory, name), 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
    );

  async function appendFromEight(directory: string, ...args: string[]): Promise<void> {
    const child = await buildChild(appendLines);
    const children = Array.from({ length: 8 }, () => startChild(child, [directory, ...args]));
    for (const { code, stderr } of await Promise.all(children.map(({ ended }) => ended))) {
      expect([code, stderr]).toEqual([0, '']);
    }
  }

  it('leave whole lines, and all of them', async () => {
    const directory = join(tempDir(), 'logs');
    await appendFromEight(directory, '1000');
    const lines = linesIn(directory).map((line) => JSON.parse(line) as { pid: number; line: number; filling: string });
    expect(lines).toHaveLength(8_000);
    const pids = [...new Set(lines.map(({ pid }) => pid))];
    expect(pids).toHaveLength(8);
    for (const pid of pids) {
      const own = lines.filter((line) => line.pid === pid).map(({ line }) => line);
      expect(own).toEqual([...Array(1_000).keys()]);
    }
    expect(lines.every(({ line, filling }) => filling.length === line % 700)).toBe(true);
  });

  it('move on to the next part together, and lose no line of those that are kept', async () => {
    const directory = join(tempDir(), 'logs');
    // Some 4 MB in parts of 3 MB: nothing is old enough to go.
    await appendFromEight(directory, '1000', '3000000');
    const lines = linesIn(directory);
    expect(readdirSync(directory).length).toBe(2);
    expect(lines).toHaveLength(8_000);
    for (const line of lines) JSON.parse(line);
  });
});
