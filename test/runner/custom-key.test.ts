import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../support/temp-dir.js';
import { background } from './fixtures/background.js';

const key = 'a-key-of-no-known-shape-1234';

/** A home with a provider of one's own, which answers with its key reversed and what else it finds, and fails when told. */
function homeWithProvider(): { home: string; module: string } {
  const home = tempDir();
  const module = join(home, 'mine.mjs');
  writeFileSync(
    module,
    `export default {
       async complete({ prompt }) {
         const { MY_API_KEY: key = '', OTHER_API_KEY: other = 'none' } = process.env;
         if (prompt.includes('fail')) throw new Error('refused with ' + key);
         return { text: [...key].reverse().join('') + ' ' + other };
       },
     };`,
  );
  return { home, module };
}

const reversed = [...key].reverse().join('');

describe('a provider of one’s own', () => {
  it('gets the variable that it names from the environment, and no other secret', async () => {
    const { home, module } = homeWithProvider();
    const runtime = await background({
      home,
      config: { providers: { custom: { mine: { module, env: ['MY_API_KEY'] } } } },
      env: { MY_API_KEY: key, OTHER_API_KEY: 'not-for-it-5678' },
    });
    const id = await runtime.ask('Hello', { model: 'custom:mine' });
    expect((await runtime.ended(id)).status).toBe('completed');
    expect(await runtime.jobs.output(id)).toBe(`${reversed} none`);
  });

  it('gets it from the secrets file, and what it throws is shown without it', async () => {
    const { home, module } = homeWithProvider();
    const secretsFile = join(home, 'secrets');
    writeFileSync(secretsFile, `MY_API_KEY=${key}\n`);
    chmodSync(secretsFile, 0o600);
    const runtime = await background({
      home,
      config: { secretsFile, providers: { custom: { mine: { module, env: ['MY_API_KEY'] } } } },
    });
    const good = await runtime.ask('Hello', { model: 'custom:mine' });
    const bad = await runtime.ask('Please fail', { model: 'custom:mine' });
    await runtime.ended(good);
    expect(await runtime.jobs.output(good)).toBe(`${reversed} none`);
    const { errorMessage } = await runtime.ended(bad);
    expect(errorMessage).toContain('refused with [redacted]');
    expect(runtime.runnerLog()).not.toContain(key);
  });

  it('is refused at submission while the variable is not set, and needs none when the config names a path alone', async () => {
    const { home, module } = homeWithProvider();
    const runtime = await background({
      home,
      config: { providers: { custom: { mine: { module, env: ['MY_API_KEY'] }, plain: module } } },
    });
    await expect(runtime.ask('Hello', { model: 'custom:mine' })).rejects.toMatchObject({
      code: 'not_configured',
      message: expect.stringContaining('MY_API_KEY'),
    });
    const id = await runtime.ask('Hello', { model: 'custom:plain' });
    await runtime.ended(id);
    expect(await runtime.jobs.output(id)).toBe(' none');
  });
});
