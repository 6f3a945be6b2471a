import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createLog, type LogOptions } from '../../src/base/log.js';
import { createRedactor } from '../../src/base/redact.js';
import { tempDir } from '../support/temp-dir.js';

/** A log that writes to files in place of stderr and of the day's file. */
function testLog(options: Partial<LogOptions> = {}, secrets: string[] = []) {
  const path = join(tempDir(), 'stderr');
  const fd = openSync(path, 'a');
  onTestFinished(() => closeSync(fd));
  const filed: string[] = [];
  const to = { write: (text: string) => void filed.push(text), close: () => {} };
  const redact = createRedactor(secrets);
  const log = createLog({ level: 'debug', redact, fd, file: { level: 'debug', to }, ...options });
  const lines = () => readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return { log, to, filed, lines, shown: () => readFileSync(path, 'utf8') };
}

it('writes one JSON object a line, with the keys of the earlier job server', () => {
  const { log, lines, filed } = testLog();
  log.info('job_started', { job_id: 'abc', type: 'generic' });
  log.error('text\nwith a line end', { error: new TypeError('no') });
  const [first = '', second = ''] = lines();
  expect(JSON.parse(first)).toMatchObject({
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    level: 'info',
    logger: 'agent-runtime',
    message: 'job_started',
    job_id: 'abc',
    type: 'generic',
    pid: process.pid,
  });
  expect(JSON.parse(second)).toMatchObject({ level: 'error', error: { type: 'TypeError', message: 'no' } });
  expect(lines()).toHaveLength(2);
  expect(filed.join('')).toBe(`${first}\n${second}\n`);
});

it('lines that a full disk does not take are dropped, and later ones are written', () => {
  const { log } = testLog({ fd: openSync('/dev/full', 'w') });
  for (let line = 0; line < 1_000; line++) log.info('x'.repeat(1_000));

  const path = join(tempDir(), 'stderr');
  const fd = openSync(path, 'a');
  onTestFinished(() => closeSync(fd));
  const { log: other } = testLog({ fd });
  other.info('written');
  expect(readFileSync(path, 'utf8')).toContain('written');
});

it('the level that is set is the level that is logged (the earlier server named one and logged at another)', () => {
  const { log, lines } = testLog({ level: 'warn' });
  for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level](level);
  expect(lines().map((line) => JSON.parse(line).message)).toEqual(['warn', 'error']);
  const silent = testLog({ level: 'silent', file: undefined });
  silent.log.error('nothing');
  expect(silent.shown()).toBe('');
});

it('the file has a level of its own', () => {
  const { log, to, filed, lines } = testLog();
  const quiet = testLog({ level: 'error', file: { level: 'info', to } });
  for (const level of ['debug', 'info', 'error'] as const) quiet.log[level](level);
  expect(filed.map((line) => JSON.parse(line).message)).toEqual(['info', 'error']);
  expect(quiet.lines()).toHaveLength(1);
  log.debug('all');
  expect(lines()).toHaveLength(1);
});

it('no credential is written: by its value, however JSON writes it, by its shape, or by the name of its field', () => {
  const secret = 'pass"word\\of mine';
  const { log, filed, shown } = testLog({}, [secret, 'plain-secret-value']);
  log.warn(`refused ${secret}`, { url: 'https://x/?key=plain-secret-value', error: new Error(`in ${secret}`) });
  log.info('call', {
    headers: { authorization: 'Basic dXNlcjpwYXNz' },
    token: 'short',
    provider: { apiKey: 'k1', token: 't1' },
    env: { HOME: '/root' },
    text: 'Bearer abcdefgh12345678 and sk-ant-api03-abcdefgh',
  });
  for (const text of [shown(), filed.join('')]) {
    expect(text.match(/\[redacted\]/g)?.length).toBeGreaterThanOrEqual(9);
    for (const part of ['pass', 'word', 'plain-secret', 'dXNl', 'short', 'k1', 't1', '/root', 'abcdefgh']) {
      expect(text).not.toContain(part);
    }
    for (const line of text.trim().split('\n')) JSON.parse(line);
  }
});

it('a person at a terminal gets plain words, and control characters of others do not reach the terminal', () => {
  const { log, shown, filed } = testLog({ human: { hasColours: false } });
  log.info('job_started', { job_id: 'abc', about: 'two words', wiped: 'x\u001b[2Jy', nothing: undefined });
  log.error('it broke', { error: new Error('no such thing') });
  const [first, second, third = ''] = shown().split('\n');
  expect(first).toMatch(/^\d\d:\d\d:\d\d info job_started job_id=abc about="two words" wiped="x\\u001b\[2Jy"$/);
  expect(second).toMatch(/ error it broke /);
  expect(third).toBe('Error: no such thing');
  expect(JSON.parse(filed[0] ?? '')).toMatchObject({ message: 'job_started' });
});

it('a terminal with colours gets the level in its colour', () => {
  const { log, shown } = testLog({ human: { hasColours: true } });
  log.warn('careful');
  expect(shown()).toContain('\u001b[33mwarn\u001b[39m careful');
});
