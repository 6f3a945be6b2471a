import { expect, it } from 'vitest';
import { type Merge, mergeServer } from '../../../src/cli/install/merge-server.js';

const entry = { command: 'npx', args: ['-y', 'agent-runtime-mcp'] };
const merge: Merge = { file: '/c/mcp.json', serversKey: 'mcpServers', name: 'agent-runtime', entry };

it.each(['', '  \n', '{}', '{\n}\n', '\uFEFF'])('fills an empty file (%j)', (text) => {
  const merged = mergeServer(text, merge);
  expect(merged.status).toBe('added');
  const bare = merged.text.replace('\uFEFF', '');
  expect(JSON.parse(bare)).toEqual({ mcpServers: { 'agent-runtime': entry } });
  expect(bare).toMatch(/^\{\n {2}"mcpServers": \{\n[\s\S]*\}\n$/);
});

it('keeps everything else, in its order, and the form of the file', () => {
  const text = '{\n\t"theme": "dark",\n\t"mcpServers": {\n\t\t"memory": {"command": "m"}\n\t},\n\t"zoom": 1.5\n}';
  const merged = mergeServer(text, merge);
  expect(JSON.parse(merged.text)).toEqual({
    theme: 'dark',
    mcpServers: { memory: { command: 'm' }, 'agent-runtime': entry },
    zoom: 1.5,
  });
  expect(Object.keys(JSON.parse(merged.text))).toEqual(['theme', 'mcpServers', 'zoom']);
  expect(merged.text).toMatch(/^\{\n\t"theme": "dark",\n\t"mcpServers": \{\n\t\t"memory"/);
  expect(merged.text.endsWith('}')).toBe(true);
});

it('keeps line ends, a byte order mark, four spaces, and a file of one line', () => {
  const windows = mergeServer('\uFEFF{\r\n    "a": 1\r\n}\r\n', merge).text;
  expect(windows.startsWith('\uFEFF{\r\n    "a": 1,\r\n    "mcpServers"')).toBe(true);
  expect(windows.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  expect(windows.endsWith('}\r\n')).toBe(true);
  expect(mergeServer('{"a":1}', merge).text).toBe(`{"a":1,"mcpServers":{"agent-runtime":${JSON.stringify(entry)}}}`);
});

it('changes nothing the second time', () => {
  const once = mergeServer('{\n  "a": 1\n}\n', merge).text;
  expect(mergeServer(once, merge)).toEqual({ text: once, status: 'unchanged' });
});

it('updates its own entry and keeps what the user has added to it', () => {
  const text = JSON.stringify({
    mcpServers: { 'agent-runtime': { command: '/old/node', args: ['x'], env: { KEY: 'v', A: '1' }, timeout: 600000 } },
  });
  const merged = mergeServer(text, { ...merge, entry: { ...entry, env: { A: '2' } } });
  expect(merged.status).toBe('updated');
  expect(JSON.parse(merged.text).mcpServers['agent-runtime']).toEqual({
    ...entry,
    env: { KEY: 'v', A: '2' },
    timeout: 600000,
  });
});

it.each([
  ['{"mcpServers": {', 'is not JSON'],
  ['{"a": 1,}', 'is not JSON'],
  ['// a comment\n{}', 'is not JSON'],
  ['[]', 'not an object'],
  ['"text"', 'not an object'],
  ['{"mcpServers": []}', '"mcpServers", but it is not an object'],
  ['{"mcpServers": {"agent-runtime": "x"}}', 'another kind of server'],
  ['{"mcpServers": {"agent-runtime": {"url": "https://example.com"}}}', 'another kind of server'],
])('refuses %s, naming the file', (text, message) => {
  expect(() => mergeServer(text, merge)).toThrow(message);
  expect(() => mergeServer(text, merge)).toThrow('/c/mcp.json');
  expect(() => mergeServer(text, merge)).toThrow(expect.objectContaining({ code: 'invalid' }));
});

it('keeps a key named __proto__', () => {
  const merged = mergeServer('{"__proto__": {"x": 1}}', merge);
  expect(merged.text).toContain('"__proto__":{"x":1}');
});
