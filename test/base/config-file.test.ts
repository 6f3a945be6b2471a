import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { configJsonSchema, readConfigFile } from '../../src/base/config-file.js';
import { warnOfUnknown } from '../../src/base/settings.js';
import { providers } from '../../src/llm/providers.js';
import { tempDir } from '../support/temp-dir.js';

function read(text: string) {
  const file = join(tempDir(), 'config.json');
  writeFileSync(file, text);
  return readConfigFile(file, providers);
}

it('may have comments, trailing commas and the place of its schema', () => {
  expect(
    read('{\n  "$schema": "./config.schema.json",\n  // the best one\n  "model": "opus", /* for all */\n}'),
  ).toMatchObject({ file: { model: 'opus' } });
});

it('a mistake in a server is named likewise, and the server left out', () => {
  expect(read('{"mcpServers": {"x": {"comand": "y"}}}').servers.unused).toEqual([
    {
      server: 'x',
      problem: expect.stringContaining('"comand". Did you mean command?, at mcpServers.x.comand, line 1, column 23'),
    },
  ]);
});

describe('a mistake is named with line, column and what was probably meant', () => {
  it.each([
    [
      '{\n  "modle": "opus"\n}',
      'Unrecognized key: "modle". Did you mean model or models?\n  → at modle, line 2, column 3',
    ],
    [
      '{\n  "limits": {\n    "workerSlot": 3\n  }\n}',
      'Unrecognized key: "workerSlot". Did you mean workerSlots?\n  → at limits.workerSlot, line 3, column 5',
    ],
    ['{"limits": {"workerSlots": 0}}', '→ at limits.workerSlots, line 1, column 13'],
    [
      '{"providers": {"antropic": {}}}',
      'Unrecognized key: "antropic". Did you mean anthropic?\n  → at providers.antropic, line 1, column 16',
    ],
    ['{"model": "opus"\n "limits": {}}', 'is not JSON: line 2, column 2: a comma is expected'],
  ])('%j', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  it('each of several', () => {
    expect(() => read('{"modle": 1,\n "agent": []}')).toThrow(/"modle".*"agent".*Did you mean agents\?/s);
  });
});

it('its JSON Schema takes what the program takes', () => {
  const isValid = new Ajv2020({ strict: false }).compile(configJsonSchema(providers));
  expect(isValid({ $schema: 'x', model: 'opus', mcpServers: { a: { command: 'x', instances: 2 } } })).toBe(true);
  expect(isValid({ modle: 'opus' })).toBe(false);
  expect(isValid({ mcpServers: { a: { comand: 'x' } } })).toBe(false);
  expect(isValid({ limits: { workerSlots: 0 } })).toBe(false);
});

it('variables with the prefix of this program that nothing reads are named, with what was probably meant', () => {
  const env = {
    AGENT_RUNTIME_TOOLSET: 'core',
    AGENT_RUNTIME_READONLY: '1',
    AGENT_RUNTIME_QUITE_OTHER: 'x',
    AGENT_RUNTIME_EMPTY: '',
    AGENT_RUNTIME_TOOLSETS: 'core',
    AGENT_RUNTIME_ANTHROPIC_MODEL: 'opus',
    AGENT_RUNTIME_DEPTH: '1',
    OTHER: 'x',
  };
  expect(warnOfUnknown(env, providers)).toEqual([
    'The variable AGENT_RUNTIME_QUITE_OTHER has no effect: there is no such setting.',
    'The variable AGENT_RUNTIME_READONLY has no effect: there is no such setting. Did you mean AGENT_RUNTIME_READ_ONLY?',
    'The variable AGENT_RUNTIME_TOOLSET has no effect: there is no such setting. Did you mean AGENT_RUNTIME_TOOLSETS?',
  ]);
});

it('a mistake in what a server exposes leaves out its entry, and says what it should be', () => {
  const server = (expose: unknown) => ({ command: 'node', args: ['x'], expose });
  const { servers } = read(
    JSON.stringify({
      mcpServers: {
        good: server({ allow: ['a'], rename: { a: 'b' } }),
        misspelt: server({ alow: ['a'] }),
        odd: server({ rename: { a: 'not ok!' } }),
      },
    }),
  );
  expect(Object.keys(servers.used)).toEqual(['good']);
  expect(servers.unused).toEqual([
    { server: 'misspelt', problem: expect.stringMatching(/^Unrecognized key: "alow"\. Did you mean allow\?, at/) },
    { server: 'odd', problem: expect.stringMatching(/^must be a name of letters.*expose\.rename\.a/) },
  ]);
});
