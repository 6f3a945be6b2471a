import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfigFile } from '../../src/base/config-file.js';
import { startsThisRuntime } from '../../src/base/server-settings.js';
import { tempDir } from '../support/temp-dir.js';

function read(config: unknown) {
  const file = join(tempDir(), 'config.json');
  writeFileSync(file, JSON.stringify(config));
  return readConfigFile(file, []);
}

it('servers of .mcp.json are taken as they are, over stdio and Streamable HTTP', () => {
  const mcpServers = {
    one: { command: 'npx', args: ['-y', 'x'], env: { A: 'b' }, cwd: '~/x' },
    two: { type: 'stdio', command: 'x', instances: 8, backups: ['one'], timeout: 1_000, health: false, idle: 60_000 },
    three: {
      type: 'http',
      url: 'https://example.org/mcp',
      headers: { A: 'b' },
      cache: { look: 60 },
      retrySafe: ['add'],
    },
    four: { url: 'https://example.org/mcp', health: { interval: 1_000, timeout: 500 } },
  };
  expect(read({ mcpServers }).mcpServers).toEqual(mcpServers);
});

it.each([
  [{ comand: 'x' }, /Unrecognized key: "comand".*mcpServers\.x/s],
  [{ command: 'x', instances: 9 }, /<=8.*mcpServers\.x\.instances/s],
  [{ command: 'x', instances: 0 }, />=1.*mcpServers\.x\.instances/s],
  [{ command: 'x', timeout: 60_000 }, /<=50000.*mcpServers\.x\.timeout/s],
  [{ command: 'x', backups: ['x'] }, /"x" is the server itself.*mcpServers\.x\.backups/s],
  [{ command: 'x', backups: ['y'] }, /"y" is not a server of this file.*mcpServers\.x\.backups/s],
  [{ command: 'x', cache: { look: -1 } }, /mcpServers\.x\.cache\.look/],
  [{ type: 'sse', url: 'https://example.org' }, /"http"\|"streamable-http".*mcpServers\.x\.type/s],
  [{ url: 'https://example.org', command: 'x' }, /Unrecognized key: "command".*mcpServers\.x/s],
  ['x', /mcpServers\.x/],
])('%j is an error that names the key', (entry, message) => {
  expect(() => read({ mcpServers: { x: entry } })).toThrow(message);
});

it('a name with a dot, which would be ambiguous in server.tool, is refused', () => {
  expect(() => read({ mcpServers: { 'a.b': { command: 'x' } } })).toThrow(/a name of letters|Invalid key/);
});

it('preferences of agents are checked', () => {
  const toolPreferences = { reviewer: { native_tools: ['search_arxiv'], servers: ['papers'] } };
  expect(read({ toolPreferences }).toolPreferences).toEqual(toolPreferences);
  expect(() => read({ toolPreferences: { reviewer: { server: ['x'] } } })).toThrow(/toolPreferences\.reviewer/);
});

describe('this runtime itself', () => {
  it.each([
    ['npx', ['-y', 'agent-runtime-mcp']],
    ['npx', ['agent-runtime-mcp@latest']],
    ['cmd', ['/c', 'npx', '-y', 'agent-runtime-mcp']],
    ['agent-runtime', []],
    ['/usr/local/bin/agent-runtime-mcp', ['serve']],
    ['C:\\npm\\agent-runtime.cmd', []],
    ['node', ['/home/me/node_modules/agent-runtime-mcp/dist/main.js']],
  ])('%s %j is known', (command, args) => {
    expect(startsThisRuntime({ command, args })).toBeDefined();
  });

  it.each([
    ['uvx', ['mcp-server-git', '--repository', '/home/me/agent-runtime']],
    ['npx', ['-y', '@me/agent-runtime-tools']],
    ['node', ['/home/me/agent-runtime/server.js']],
  ])('%s %j is another', (command, args) => {
    expect(startsThisRuntime({ command, args })).toBeUndefined();
  });
});
