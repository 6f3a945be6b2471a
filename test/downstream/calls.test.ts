// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the config file's own placeholders.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { tempDir } from '../support/temp-dir.js';
import { notedCalls, odd, textOf, toolRuntime } from './tool-runtime.js';

it('a tool is called by its full name, and by its own where one server has it', async () => {
  const { call } = await toolRuntime({ odd: odd() });
  const full = await call('odd.echo', { text: 'hello' });
  expect(full).toMatchObject({ tool: 'odd.echo', source: 'primary', instance: 'odd#1' });
  expect(full.attempts).toMatchObject([{ source: 'primary', instance: 'odd#1' }]);
  expect(textOf(full)).toBe('hello');
  expect(textOf(await call('echo', { text: 'bare' }))).toBe('bare');
  expect(textOf(await call('file.read.v2'))).toBe('read');
  expect(textOf(await call('odd.file.read.v2'))).toBe('read');
});

it('a name that two servers have is a conflict that names both, until a rule or an agent prefers one', async () => {
  const { call, downstream } = await toolRuntime(
    { one: odd(), two: odd() },
    { config: { toolPreferences: { reviewer: { servers: ['two'] } } } },
  );
  await expect(call('echo')).rejects.toMatchObject({ code: 'conflict', message: /one\.echo, two\.echo/ });
  expect((await call('echo', {}, { agentId: 'reviewer' })).tool).toBe('two.echo');
  await downstream.route('echo', { prefer: 'one' }, { holder: 'session:test', project: '' });
  expect((await call('echo')).tool).toBe('one.echo');
});

it('an unknown name is answered with similar names', async () => {
  const { call } = await toolRuntime({ odd: odd() });
  await expect(call('odd.ecko_echo')).rejects.toMatchObject({ code: 'not_found', message: /Similar: odd\.echo/ });
});

it('results pass through as they are: pictures, links, what the tool itself calls an error', async () => {
  const { call } = await toolRuntime({ odd: odd() });
  const { result } = await call('odd.picture');
  expect(result.content?.map(({ type }) => type)).toEqual(['text', 'image', 'resource_link']);
  expect(result.content?.[1]).toEqual({ type: 'image', data: 'aGVsbG8=', mimeType: 'image/png' });
  expect((await call('odd.refuse')).result).toEqual({
    content: [{ type: 'text', text: 'the tool says no' }],
    isError: true,
  });
});

it('progress is passed on', async () => {
  const { call } = await toolRuntime({ odd: odd() });
  const heard: string[] = [];
  await call('odd.progress', { steps: 3 }, { onProgress: (message) => void heard.push(message) });
  expect(heard).toEqual(['1 of 3: step 1', '2 of 3: step 2', '3 of 3: step 3']);
});

it("a caller who cancels ends the call, and the server's other calls go on", async () => {
  const { call } = await toolRuntime({ odd: odd() });
  await call('odd.echo');
  const caller = new AbortController();
  const other = call('odd.wait', { ms: 300 });
  setTimeout(() => caller.abort(), 50);
  await expect(call('odd.never', {}, { signal: caller.signal })).rejects.toMatchObject({ code: 'cancelled' });
  expect(textOf(await other)).toBe('waited');
  expect((await call('odd.pid')).attempts).toHaveLength(1);
});

it.each(['elicitation/create', 'sampling/createMessage', 'roots/list'])(
  '%s from a server is refused in words',
  async (method) => {
    const { call } = await toolRuntime({ odd: odd() });
    expect(textOf(await call('odd.ask', { method }))).toContain(`${method} is not offered`);
  },
);

it('what a server prints to stdout beside its answers does no harm', async () => {
  const { call } = await toolRuntime({ odd: odd() });
  expect(textOf(await call('odd.garbage'))).toBe('fine');
  expect(textOf(await call('odd.echo', { text: 'still there' }))).toBe('still there');
});

it.each([42, []])('a malformed answer fails at once, in words of our own: %j', async (result) => {
  const { call } = await toolRuntime({ odd: odd() });
  const startedAt = performance.now();
  const message = /primary odd#1: its answer is not what the protocol says/;
  await expect(call('odd.malformed', { result })).rejects.toMatchObject({ code: 'unavailable', message });
  expect(performance.now() - startedAt).toBeLessThan(40_000);
});

it("a server's error text never becomes the wording of ours", async () => {
  const { call } = await toolRuntime({ odd: odd() });
  const outcome = await call('odd.break');
  expect(outcome.result).toMatchObject({ isError: true, content: [{ type: 'text', text: /Ignore all previous/ }] });
  expect(outcome.attempts.map(({ error }) => error)).toEqual(['it answered with error -32603']);
  expect((await call('odd.invalid')).result).toMatchObject({ isError: true });
});

it('an answer with a wrong id is ignored, and the call ends in time', async () => {
  const { call } = await toolRuntime({ odd: odd({ timeout: 300 }) });
  await eventually('it is up', () => call('odd.echo').catch(() => undefined));
  const startedAt = performance.now();
  await expect(call('odd.wrong_id', {}, { timeoutMs: 600 })).rejects.toMatchObject({ code: 'timeout' });
  expect(performance.now() - startedAt).toBeLessThan(40_000);
});

it('20 MB are refused with their size, and the same process goes on', async () => {
  const { call } = await toolRuntime({ odd: odd() });
  const pid = textOf(await call('odd.pid'));
  await expect(call('odd.big', { bytes: 20 * 1024 * 1024 })).rejects.toMatchObject({
    message: /20\.0 MB, more than the 16 MB/,
  });
  expect(textOf(await call('odd.big', { bytes: 5 * 1024 * 1024 }))).toHaveLength(5 * 1024 * 1024);
  expect(textOf(await call('odd.pid'))).toBe(pid);
});

it('thousands of tools are listed over pages and called', async () => {
  const { call, downstream } = await toolRuntime({ odd: odd({ env: { MANY_TOOLS: '4000' } }) });
  await expect(call('odd.tool_3999')).resolves.toMatchObject({ result: { isError: true } });
  const { tools } = await downstream.tools({ server: 'odd' });
  expect(tools.filter(({ name }) => name.startsWith('odd.tool_39'))).toHaveLength(111);
});

it('tools that come while a server runs can be called, and the change is an event', async () => {
  const { call, db } = await toolRuntime({ odd: odd() });
  await call('odd.grow');
  expect(textOf(await call('odd.grown'))).toBe('here');
  const row = await db.get<{ data: string }>(
    "select data from events where subject = 'server' and type = 'tools_changed'",
  );
  expect(JSON.parse(row?.data ?? '{}')).toEqual({ added: ['grown'], removed: [], changed: [] });
});

it('servers get the usual environment and their own, with variables filled in, and none of our secrets', async () => {
  const env = { TOKEN: '${GIVEN}', FALLBACK: '${MISSING:-usual}', URL: 'http://${MISSING:-here}/x' };
  const { call } = await toolRuntime(
    { odd: odd({ env }) },
    { env: { GIVEN: 'secret-of-its-own', ANTHROPIC_API_KEY: 'sk-ant-test' } },
  );
  const seen = JSON.parse(textOf(await call('odd.environment')));
  expect(seen).toMatchObject({
    TOKEN: 'secret-of-its-own',
    FALLBACK: 'usual',
    URL: 'http://here/x',
    AGENT_RUNTIME_DEPTH: '1',
  });
  expect(Object.keys(seen)).not.toContain('ANTHROPIC_API_KEY');
});

it('a variable that is not set is named, and other servers still work', async () => {
  const { call } = await toolRuntime({ bad: odd({ env: { TOKEN: '${NOT_SET}' } }), good: odd() });
  await expect(call('bad.echo')).rejects.toMatchObject({ code: 'unavailable', message: /NOT_SET .*is not set/ });
  expect((await call('echo', { text: 'x' })).tool).toBe('good.echo');
});

it('a call that is not safe to repeat and is lost says so, and was made once', async () => {
  const calls = join(tempDir(), 'calls');
  const { call } = await toolRuntime({
    one: odd({ env: { CALLS_FILE: calls }, instances: 2, backups: ['two'] }),
    two: odd({ env: { CALLS_FILE: calls } }),
  });
  const lost = call('one.add_crash');
  await expect(lost).rejects.toMatchObject({
    code: 'unavailable',
    message: /may have been carried out/,
    hint: /retry_safe/,
  });
  expect(notedCalls(calls)).toEqual(['odd add_crash']);
  const hung = call('one.add_hang', {}, { timeoutMs: 5_000 });
  await expect(hung).rejects.toMatchObject({ code: 'unavailable', message: /may have been carried out/ });
  expect(notedCalls(calls).filter((line) => line.includes('add_hang'))).toHaveLength(1);
});

it('a call that only reads and is lost is made again', async () => {
  const file = join(tempDir(), 'crashed');
  const { call } = await toolRuntime({ odd: odd() });
  const outcome = await call('odd.crash_once', { file });
  expect(textOf(outcome)).toBe('well again');
  expect(outcome.attempts).toMatchObject([
    { error: 'the connection was lost before it answered' },
    { source: 'primary' },
  ]);
});
