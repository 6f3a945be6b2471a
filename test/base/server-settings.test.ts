import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfigFile } from '../../src/base/config-file.js';
import { ignoredKeys, startsThisRuntime } from '../../src/base/server-settings.js';
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
  expect(read({ mcpServers }).servers).toEqual({ used: mcpServers, unused: [] });
});

it.each([
  [{ comand: 'x' }, /Unrecognized key: "comand".*mcpServers\.x/s],
  [{ command: 'x', instances: 9 }, /<=8.*mcpServers\.x\.instances/s],
  [{ command: 'x', instances: 0 }, />=1.*mcpServers\.x\.instances/s],
  [{ command: 'x', timeout: 60_000 }, /<=50000.*mcpServers\.x\.timeout/s],
  [{ command: 'x', backups: ['x'] }, /"x" is the server itself.*mcpServers\.x\.backups/s],
  [{ command: 'x', backups: ['y'] }, /"y" is not a server of this file.*mcpServers\.x\.backups/s],
  [{ command: 'x', cache: { look: -1 } }, /mcpServers\.x\.cache\.look/],
  [{ type: 'carrier-pigeon', url: 'https://example.org' }, /"http"\|"streamable-http".*mcpServers\.x\.type/s],
  [{ url: 'https://example.org', command: 'x' }, /Unrecognized key: "command".*mcpServers\.x/s],
  ['x', /mcpServers\.x/],
])('%j is left out, with an error that names the key, and the others are used', (entry, message) => {
  const well = { command: 'well' };
  const { used, unused } = read({ mcpServers: { x: entry, well, other: { ...well, backups: ['x', 'well'] } } }).servers;
  expect(used).toEqual({ well, other: { ...well, backups: ['well'] } });
  expect(unused).toEqual([{ server: 'x', problem: expect.stringMatching(message) }]);
});

it.each([
  ['disabled: true', { command: 'x', disabled: true }],
  ['enabled: false', { command: 'x', enabled: false }],
])('a server with %s is kept in the file and not used', (_, entry) => {
  expect(read({ mcpServers: { x: entry } }).servers).toEqual({
    used: {},
    unused: [{ server: 'x', problem: undefined }],
  });
});

it('keys that mean something to other clients alone are passed over, and named', () => {
  const entry = { command: 'x', alwaysAllow: ['echo'], autoApprove: [], enabled: true, type: 'stdio' };
  expect(read({ mcpServers: { x: entry } }).servers.used).toEqual({ x: { command: 'x', type: 'stdio' } });
  expect(ignoredKeys(entry)).toEqual(['alwaysAllow', 'autoApprove', 'enabled']);
});

it('a name with a dot, which would be ambiguous in server.tool, is refused', () => {
  expect(read({ mcpServers: { 'a.b': { command: 'x' } } }).servers.unused).toEqual([
    { server: 'a.b', problem: expect.stringMatching(/a name of letters/) },
  ]);
});

it('preferences of agents are checked', () => {
  const toolPreferences = { reviewer: { native_tools: ['search_arxiv'], servers: ['papers'] } };
  expect(read({ toolPreferences }).file.toolPreferences).toEqual(toolPreferences);
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
