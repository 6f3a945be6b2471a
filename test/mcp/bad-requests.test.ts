import { expect, it } from 'vitest';
import { startRawServer } from '../support/raw-client.js';
import { tempDir } from '../support/temp-dir.js';

async function errorsOf(requests: readonly Record<string, unknown>[]) {
  const server = startRawServer({ home: tempDir() });
  await server.initialize();
  const replies = requests.map((request, index) => {
    server.write(JSON.stringify({ jsonrpc: '2.0', id: `r${index}`, ...request }));
    return server.next(({ id }) => id === `r${index}`);
  });
  return (await Promise.all(replies)).map(({ error }) => error);
}

it('a request that is not well-formed is answered with what is wrong, rather than dropped', async () => {
  const [list, text, token, extra] = await errorsOf([
    { method: 'tools/call', params: ['create_task'] },
    { method: 'ping', params: 'x' },
    { method: 'tools/call', params: { name: 'list_tasks', _meta: { progressToken: true } } },
    { method: 'ping', extra: 1 },
  ]);
  expect(list).toMatchObject({ code: -32602, message: expect.stringMatching(/^tools\/call: params: .*object.*array/) });
  expect(text).toMatchObject({ code: -32602, message: expect.stringMatching(/^ping: params: .*object.*string/) });
  expect(token).toMatchObject({
    code: -32602,
    message: 'tools/call: params._meta.progressToken: must be a string or an integer.',
  });
  expect(extra).toMatchObject({ code: -32600, message: expect.stringContaining('"extra"') });
});

it('params that a method does not take are named in words', async () => {
  const errors = await errorsOf([
    { method: 'resources/read', params: { uri: 'task://%E0%A4%A' } },
    { method: 'resources/read', params: { uri: 'goal://x' } },
    { method: 'resources/read', params: { uri: 'job://0' } },
    { method: 'resources/read' },
    { method: 'resources/subscribe', params: { uri: 7 } },
    { method: 'prompts/get' },
    { method: 'prompts/get', params: { name: 'plan', arguments: { goal: 7 } } },
    { method: 'logging/setLevel', params: { level: 'loud' } },
    { method: 'initialize' },
  ]);
  expect(errors.map(({ code }) => code)).toEqual(errors.map(() => -32602));
  for (const { message } of errors) expect(message).not.toMatch(/[[{]\s*\n|"code"/);
  const [encoding, goal, job, , , prompt] = errors.map(({ message }) => message);
  expect(encoding).toContain('task://%E0%A4%A is malformed');
  expect(goal).toContain('goal_id');
  expect(job).toMatch(/job.*0/);
  expect(prompt).toMatch(/prompts\/get: params: .*expected object/);
});

it('a call whose tool is named by no text is answered with what is wrong', async () => {
  const errors = await errorsOf([
    { method: 'tools/call', params: { name: { toString: 1 } } },
    { method: 'tools/call', params: { name: ['get_task'] } },
    { method: 'tools/call' },
  ]);
  for (const error of errors)
    expect(error).toMatchObject({ code: -32602, message: expect.stringMatching(/name.*text/) });
});
