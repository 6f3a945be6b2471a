import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { readConfigWith } from '../../src/base/config.js';
import { createRedactor } from '../../src/base/redact.js';
import { checkModels } from '../../src/cli/doctor/check-services.js';
import { createModels } from '../../src/llm/index.js';
import { type ProviderDeclaration, requireKey } from '../../src/llm/provider.js';
import { providers } from '../../src/llm/providers.js';
import { runnerEnvironment } from '../../src/runner/environment.js';
import { acme } from '../fixtures/models/acme.js';
import { projectRoot } from '../support/root.js';
import { tempDir } from '../support/temp-dir.js';
import { ask, failureOf } from './ask.js';

const section = z.strictObject({ model: z.string().optional(), volume: z.int().optional() });

type Settings = z.output<typeof section> & { phrase?: string | undefined };

/** One more provider, as its one file would declare it. */
const parrot: ProviderDeclaration<Settings> = {
  id: 'parrot',
  label: 'Parrot',
  settings: section,
  environment: {
    phrase: { name: 'PARROT_PHRASE', aliases: ['PARROT_WORD'], isSecret: true, meaning: 'What it lives on.' },
    model: { name: 'PARROT_MODEL', meaning: 'Which bird.' },
  },
  defaultModel: 'grey',
  modelStrings: 'a parrot (macaw)',
  models: { family: /^parrot-/, aliases: { macaw: 'parrot-macaw-1' }, retired: { dodo: 'macaw' }, ending: {} },
  setUp: 'Set PARROT_PHRASE.',
  isConfigured: ({ phrase }) => Boolean(phrase),
  create(settings) {
    requireKey(settings.phrase, 'Parrot', 'PARROT_PHRASE', 'Set PARROT_PHRASE.');
    return {
      id: 'parrot',
      async complete({ model, prompt }) {
        const text = `${prompt}!`.repeat(settings.volume ?? 1);
        return { text, model, stopReason: 'end_turn', usage: { inputTokens: 1, outputTokens: 1 }, warnings: [] };
      },
    };
  },
};
const list = [...providers, parrot];

function configOf(file: object, env: Record<string, string> = {}) {
  const home = tempDir();
  const path = join(home, 'config.json');
  writeFileSync(path, JSON.stringify(file));
  return readConfigWith(list, { config: path }, { HOME: home, PATH: '/nowhere', ...env });
}

const phrase = 'polly-wants-a-cracker';

it('its variables win over its section of the config file', () => {
  const file = { providers: { parrot: { model: 'parrot-red', volume: 2 } } };
  expect(configOf(file).providers.parrot).toEqual({ model: 'parrot-red', volume: 2 });
  expect(configOf(file, { PARROT_WORD: phrase, PARROT_MODEL: 'parrot-blue' }).providers.parrot).toEqual({
    model: 'parrot-blue',
    phrase,
    volume: 2,
  });
});

it.each([
  [{ providers: { parrot: { colour: 'red' } } }, /Unrecognized key: "colour"[\s\S]*providers\.parrot/],
  [{ providers: { parrot: { volume: 'loud' } } }, /expected number[\s\S]*providers\.parrot\.volume/],
  [{ providers: { parrot: { phrase } } }, /Unrecognized key: "phrase"/],
  [{ providers: { parot: {} } }, /Unrecognized key: "parot"[\s\S]*at providers/],
  [{ models: { aliases: { ollama: {} } } }, /Unrecognized key: "ollama"[\s\S]*models\.aliases/],
])('a wrong config file is refused by its schema: %j', (file, words) => {
  expect(() => configOf(file)).toThrow(words);
});

it('its secret is redacted, whatever its name', () => {
  const { secrets } = configOf({}, { PARROT_WORD: phrase });
  expect(createRedactor(secrets)(`Hello ${phrase}.`)).toBe('Hello [redacted].');
});

it('a runner gets its variables', () => {
  const config = configOf({}, { PARROT_WORD: phrase, PARROT_FOOD: 'seeds' });
  expect(runnerEnvironment(config, list)).toMatchObject({ PARROT_PHRASE: phrase });
  expect(runnerEnvironment(config, list)).not.toHaveProperty('PARROT_FOOD');
});

it('doctor says whether it is set up, and what to set', () => {
  const check = (env?: Record<string, string>) => {
    const config = configOf({}, env);
    return checkModels(config, createModels(config, list)).find(({ name }) => name === 'parrot');
  };
  expect(check()).toMatchObject({ detail: 'not set up', fix: 'Set PARROT_PHRASE.' });
  expect(check({ PARROT_PHRASE: phrase })).toMatchObject({ detail: 'set up; parrot:grey' });
});

it('the errors name it', () => {
  const models = createModels(configOf({}), list);
  expect(() => models.resolve()).toThrow(expect.objectContaining({ hint: expect.stringContaining('PARROT_PHRASE') }));
  expect(() => models.resolve('gpt')).toThrow(
    expect.objectContaining({ hint: expect.stringMatching(/a parrot \(macaw\).*parrot:ID/) }),
  );
  expect(() => models.provider('parrot')).toThrow('Parrot needs an API key, and PARROT_PHRASE is not set.');
});

it('a model string leads to a call, by alias, id or retired id', async () => {
  const file = { providers: { parrot: { volume: 2 } }, models: { aliases: { parrot: { red: 'parrot-red-1' } } } };
  const models = createModels(configOf(file, { PARROT_PHRASE: phrase }), list);
  expect(models.defaultModel()).toBe('parrot:grey');
  expect(models.resolve('red')).toMatchObject({ provider: 'parrot', model: 'parrot-red-1' });
  expect(models.resolve('parrot:dodo')).toMatchObject({ model: 'parrot-macaw-1', warnings: [expect.any(String)] });
  const { provider, model } = models.resolve('macaw');
  expect(await ask(models.provider(provider), { model, prompt: 'Ahoy' })).toMatchObject({
    text: 'Ahoy!Ahoy!',
    model: 'parrot-macaw-1',
  });
});

it('the example of the README answers, and fails as the contract says', async () => {
  const shown = readFileSync(join(projectRoot, 'test/fixtures/models/acme.ts'), 'utf8')
    .replaceAll('../../../src/llm/', './')
    .replaceAll('../../../src/core/', '../core/');
  expect(readFileSync(join(projectRoot, 'src/llm/README.md'), 'utf8')).toContain(`\`\`\`ts\n${shown}\`\`\``);

  const server = createServer((request, response) => {
    if (request.headers.authorization !== 'Bearer right-key') response.writeHead(401).end('wrong-key is wrong');
    else response.setHeader('x-tokens', '2').end('Grüße');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const providerWith = (apiKey: string) =>
    createModels({ providers: { acme: { apiKey, baseUrl } } }, [acme]).provider('acme');
  expect(await ask(providerWith('right-key'), { params: { top_k: 1 } })).toMatchObject({
    text: 'Grüße',
    usage: { outputTokens: 2 },
    warnings: ['Acme does not take top_k, so it was left out.'],
  });
  const error = await failureOf(ask(providerWith('wrong-key')));
  expect(error).toMatchObject({ failure: 'auth', status: 401, detail: '[redacted] is wrong' });
  expect(error.message).toContain('Set ACME_API_KEY to a valid key.');
  server.close();
});

it('no file of a provider imports an SDK when it is loaded', () => {
  const folder = join(projectRoot, 'src/llm');
  const loaded = readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [
      ...readFileSync(join(folder, file), 'utf8').matchAll(/^import (?!type\b).*from '([^.'][^']*)'/gm),
    ])
    .map(([, name]) => name ?? '')
    .filter((name) => !name.startsWith('node:'));
  expect([...new Set(loaded)]).toEqual(['zod']);
});
