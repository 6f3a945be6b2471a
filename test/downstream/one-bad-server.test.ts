import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ServerSettings } from '../../src/base/server-settings.js';
import { eventually } from '../support/eventually.js';
import { takesLessThan, timeOf } from '../support/takes-less-than.js';
import { tempDir } from '../support/temp-dir.js';
import { odd, textOf, toolRuntime } from './tool-runtime.js';

const script = (code: string, more: Partial<ServerSettings> = {}): ServerSettings =>
  ({ command: process.execPath, args: ['-e', code], ...more }) as ServerSettings;

/** Starts and never says a word. */
const hung = (more: Partial<ServerSettings> = {}) =>
  script('process.stdin.resume(); setInterval(() => {}, 1000)', { startTimeout: 1_500, ...more });

/** Less than callers would wait for the server that hangs. */
const isAtOnce = (act: () => Promise<unknown>) => takesLessThan(1_400, () => timeOf(() => act().catch(() => {})));

it('a server that hangs at its start holds up no call of a tool that another one has, by whatever name', async () => {
  const { call } = await toolRuntime({ good: odd(), hung: hung({ startTimeout: 300_000 }) });
  await call('good.echo');
  const outcome = await call('echo', { text: 'here' });
  expect(textOf(outcome)).toBe('here');
  expect(outcome).toMatchObject({ tool: 'good.echo', source: 'primary' });
  await expect(call('good.typo')).rejects.toMatchObject({ code: 'not_found' });
});

it('a name that only servers which never started could have is waited for once, and then not found at once', async () => {
  const { call } = await toolRuntime({ good: odd(), hung: hung() });
  const unknown = () => call('typo', {}, { timeoutMs: 20_000 });
  await expect(unknown()).rejects.toMatchObject({ code: 'not_found', message: /hung, which did not start/ });
  expect(await isAtOnce(unknown)).toBe(true);
});

it('the list of tools names the servers that did not start, and the next list does not wait for them', async () => {
  const { downstream } = await toolRuntime({ good: odd(), hung: hung() });
  const first = await downstream.tools({});
  expect(first.tools.map(({ name }) => name)).toContain('good.echo');
  expect(first.unlisted).toMatchObject([{ server: 'hung', problem: /not ready in time|no instance was ready/ }]);
  expect(await isAtOnce(() => downstream.tools({}))).toBe(true);
});

it('a built-in tool is called at once, whatever servers hang', async () => {
  const { call } = await toolRuntime({ hung: hung({ startTimeout: 300_000 }) });
  await expect(call('web_search', { query: 'x' })).rejects.toMatchObject({
    code: 'not_configured',
  });
});

it('callers wait for a start as long as startTimeout says, and it goes on for those who come later', async () => {
  const { call } = await toolRuntime({ slow: odd({ startTimeout: 300, env: { START_DELAY: '2500' } }) });
  await expect(call('slow.echo', {}, { timeoutMs: 20_000 })).rejects.toMatchObject({ code: 'unavailable' });
  await expect
    .poll(async () => (await call('slow.echo', { text: 'up' }).catch(() => undefined))?.source)
    .toBe('primary');
});

it('why a server is down is told with its exit code, and its own last words apart and without keys', async () => {
  const code = "console.error('fatal: cannot find my config, key sk-abcdefgh12345678'); process.exit(7)";
  const { call, downstream } = await toolRuntime({ broken: script(code, { startTimeout: 60_000 }) });
  await expect(call('broken.echo')).rejects.toMatchObject({
    message: /it ended with exit code 7 before it was ready/,
  });
  await expect(call('broken.echo')).rejects.toMatchObject({
    message: expect.stringContaining(' broken wrote: "fatal: cannot find my config, key [redacted]".'),
  });
  await expect(call('echo')).rejects.toMatchObject({
    message: expect.stringContaining(' broken wrote: "fatal: cannot find my config, key [redacted]".'),
  });
  const [server] = await downstream.servers();
  expect(server?.instances[0]).toMatchObject({
    lastFailure: 'it ended with exit code 7 before it was ready',
    said: 'fatal: cannot find my config, key [redacted]',
  });
  expect(downstream.sick()).toMatchObject([{ server: 'broken', said: /cannot find my config/ }]);
});

it('it is told as well where this process is busy, and the server has ended before it was asked anything', async () => {
  const { call } = await toolRuntime({ broken: script("console.error('fatal: no disk'); process.exit(7)") });
  const busy = setInterval(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200), 0);
  onTestFinished(() => clearInterval(busy));
  await expect(call('broken.echo', {}, { timeoutMs: 30_000 })).rejects.toMatchObject({
    message: expect.stringMatching(/it ended with exit code 7 before it was ready.* broken wrote: "fatal: no disk"\./),
  });
});

it('of a stack on stderr only the lines that say why are shown', async () => {
  const { call, downstream } = await toolRuntime({
    broken: script("throw new TypeError('no such thing')", { startTimeout: 60_000 }),
  });
  await call('broken.echo').catch(() => {});
  expect(downstream.sick()[0]?.said).toBe('TypeError: no such thing');
});

it('a tool of two servers goes to the one that names the other as its backup', async () => {
  const { call } = await toolRuntime({ two: odd(), one: odd({ backups: ['two'] }) });
  expect(await call('echo')).toMatchObject({ tool: 'one.echo', source: 'primary' });
});

it('a built-in tool that servers have too is asked first, then the servers in the order of the file', async () => {
  const { call } = await toolRuntime({
    one: odd({ env: { EXTRA_TOOL: 'web_search' } }),
    two: odd({ env: { EXTRA_TOOL: 'web_search' } }),
  });
  await call('one.echo');
  await call('two.echo');
  const outcome = await call('web_search', { query: 'x' });
  expect(outcome.tool).toBe('one.web_search');
  expect(outcome.attempts).toMatchObject([{ source: 'native' }, { source: 'primary', instance: 'one#1' }]);
});

it('a route may name the built-in tool as a backup, and no tool that its server does not have', async () => {
  const { call, downstream } = await toolRuntime({ one: odd({ env: { EXTRA_TOOL: 'web_search' } }) });
  const actor = { holder: 'session:test', project: '' };
  await call('one.echo');
  await downstream.route('web_search', { backups: ['native'] }, actor);
  expect((await call('web_search', { query: 'x' })).attempts).toMatchObject([{ instance: 'one#1' }]);
  await expect(downstream.route('one.echo', { backups: ['native'] }, actor)).rejects.toMatchObject({
    code: 'not_found',
    message: /"echo" is not built in/,
  });
  await expect(downstream.route('web_search', { backups: ['one.ecko'] }, actor)).rejects.toMatchObject({
    code: 'not_found',
    message: /one has no tool "ecko"/,
  });
});

it('the times of an instance are those of all its calls, and not those of its slowest tool', async () => {
  const { call, downstream } = await toolRuntime({ odd: odd() });
  await call('odd.wait', { ms: 2_000 });
  for (let index = 0; index < 16; index++) await call('odd.echo');
  const [server] = await downstream.servers();
  expect(server?.instances[0]).toMatchObject({ calls: 17 });
  expect(server?.instances[0]?.p50Ms).toBeLessThan(2_000);
});

it('with high urgency a backup that was never listed is learnt about and asked, and the one overtaken is called so', async () => {
  const { call } = await toolRuntime({ slow: odd({ backups: ['quick'] }), quick: odd({ env: { QUICK: '1' } }) });
  await call('slow.echo');
  const outcome = await call('slow.wait', { ms: 15_000 }, { urgency: 'high', timeoutMs: 40_000 });
  expect(outcome).toMatchObject({ source: 'backup', instance: 'quick#1' });
  expect(outcome.attempts).toMatchObject([{ instance: 'slow#1', error: 'overtaken' }, { instance: 'quick#1' }]);
});

it('an attempt whose tool reports an error says so', async () => {
  const { call } = await toolRuntime({ odd: odd() });
  expect((await call('odd.refuse')).attempts).toMatchObject([{ error: 'its tool reported an error' }]);
});

it('the error of a call that no server answered quotes what those that are down wrote, and of the others nothing', async () => {
  const home = tempDir();
  const file = join(home, 'ends');
  const mayEnd = (name: string) =>
    odd({ env: { DOWN_FILE: file, DOWN_WORDS: `fatal: ${name} has no disk` }, backups: name === 'one' ? ['two'] : [] });
  const { call, downstream } = await toolRuntime({ one: mayEnd('one'), two: mayEnd('two') }, { home });
  for (const server of ['one', 'two']) await downstream.check(server, 30_000);
  writeFileSync(file, '');
  for (const server of ['one', 'two']) {
    const { result } = await call(`${server}.pid`, {}, { maxStaleSeconds: 0 });
    process.kill(Number(result.content?.[0]?.text), 'SIGKILL');
  }
  const failure = await eventually('both are down', async () => {
    const error = await call('one.echo', {}, { maxStaleSeconds: 0 }).catch((thrown: Error) => thrown);
    return error instanceof Error && error.message.includes('two wrote') ? error : undefined;
  });
  expect(failure.message).toMatch(
    /exit code 1.*one wrote: "fatal: one has no disk"\. two wrote: "fatal: two has no disk"\./,
  );
});

it('a first start is slow when its callers wait no more, however long that is', async () => {
  const slow = { env: { START_DELAY: '60000' } };
  const { downstream, call } = await toolRuntime({
    soon: odd({ startTimeout: 200, ...slow }),
    later: odd({ startTimeout: 60_000, ...slow }),
  });
  for (const server of ['soon', 'later']) await call(`${server}.echo`, {}, { timeoutMs: 400 }).catch(() => {});
  await eventually('the first is late', () => downstream.sick().length > 0);
  expect(downstream.sick()).toMatchObject([{ server: 'soon', problem: expect.stringMatching(/^starting for \d+ s/) }]);
  const healths = (await downstream.servers()).map(({ health }) => health);
  expect(healths).toEqual(['down', 'idle']);
});
