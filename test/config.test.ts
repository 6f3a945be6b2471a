import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { readConfig, readConfigSkippingInvalid } from '../src/config.js';
import { tempDir } from './support/temp-dir.js';

afterEach(() => vi.unstubAllEnvs());

function configFile(content: object): string {
  const path = join(tempDir(), 'config.json');
  writeFileSync(path, JSON.stringify(content));
  return path;
}

it('a flag wins over the environment, which wins over the config file, which wins over the default', () => {
  const config = configFile({ limits: { workerSlots: 7 } });
  const home = tempDir();
  const read = (flags: object, env: object) => readConfig(flags, { HOME: home, ...env });
  const env = { AGENT_RUNTIME_DATA_DIR: '/env', AGENT_RUNTIME_WORKER_SLOTS: '9', AGENT_RUNTIME_READ_ONLY: 'yes' };
  expect(read({}, {})).toMatchObject({
    dataDir: join(home, '.claude/agent_runtime'),
    workerSlots: 5,
    isReadOnly: false,
  });
  expect(read({ config }, {})).toMatchObject({ workerSlots: 7 });
  expect(read({ config }, env)).toMatchObject({ dataDir: '/env', workerSlots: 9, isReadOnly: true });
  expect(read({ dataDir: '/flag', readOnly: false }, env)).toMatchObject({ dataDir: '/flag', isReadOnly: false });
});

it('model calls have a limit of their own; who limits jobs alone limits both', () => {
  const read = (env: object, limits?: object) =>
    readConfig(limits ? { config: configFile({ limits }) } : {}, { HOME: tempDir(), ...env });
  expect(read({})).toMatchObject({ maxRunningJobs: 4, maxModelCalls: 16, callsPerRunner: 16 });
  expect(read({ AGENT_RUNTIME_MAX_RUNNING_JOBS: '1' })).toMatchObject({ maxRunningJobs: 1, maxModelCalls: 1 });
  expect(read({}, { maxRunningJobs: 2 })).toMatchObject({ maxRunningJobs: 2, maxModelCalls: 2 });
  const both = { AGENT_RUNTIME_MAX_RUNNING_JOBS: '2', AGENT_RUNTIME_MAX_MODEL_CALLS: '40' };
  expect(read(both, { callsPerRunner: 8 })).toMatchObject({ maxRunningJobs: 2, maxModelCalls: 40, callsPerRunner: 8 });
});

it('nothing is deleted by itself unless a variable or the config file says after how many days', () => {
  const read = (env: object, limits: object = {}) =>
    readConfig({ config: configFile({ limits }) }, { HOME: tempDir(), ...env }).retentionDays;
  expect(read({})).toBeUndefined();
  expect(read({}, { retentionDays: 30 })).toBe(30);
  expect(read({ AGENT_RUNTIME_RETENTION_DAYS: '7' }, { retentionDays: 30 })).toBe(7);
});

it.each([
  ['AGENT_RUNTIME_WORKER_SLOTS', 'many', 'Set it to a whole number from 1 to 1000.'],
  ['AGENT_RUNTIME_MAX_RUNNING_JOBS', '65', 'Set it to a whole number from 1 to 64.'],
  ['AGENT_RUNTIME_MAX_MODEL_CALLS', '0', 'Set it to a whole number from 1 to 256.'],
  ['AGENT_RUNTIME_RETENTION_DAYS', '0', 'Set it to a whole number from 1 to 36500.'],
  ['PORT', '1.5', 'Set it to a whole number from 1 to 65535.'],
  ['AGENT_RUNTIME_LOG_LEVEL', 'loud', 'Set it to one of debug, info, warn, error, silent.'],
  ['AGENT_RUNTIME_SEARCH_BACKEND', 'other', 'Set it to one of searxng, brave, tavily.'],
  ['AGENT_RUNTIME_URL', 'localhost', 'Set it to an address such as http://127.0.0.1:3335.'],
  ['TASK_COORDINATOR_URL', 'localhost', 'Set it to an address such as http://127.0.0.1:3335.'],
  ['BRAVE_API_KEY', 'two words', 'Set it to the key as you were given it.'],
])('%s=%s is refused with what it may be, and commands that help to correct it read the rest', (name, value, hint) => {
  const config = configFile({});
  expect(() => readConfig({ config }, { [name]: value })).toThrow(expect.objectContaining({ code: 'invalid', hint }));
  vi.stubEnv(name, value);
  vi.stubEnv('AGENT_RUNTIME_TOOLSETS', 'core');
  vi.stubEnv('TAVILY_API_KEY', 'valid-key');
  expect(readConfigSkippingInvalid({ config })).toMatchObject({
    toolsets: 'core',
    native: { tavily: { apiKey: 'valid-key' } },
  });
});
