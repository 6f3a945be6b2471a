import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Flags, settings } from '../../src/base/settings.js';
import { readConfig } from '../../src/config.js';
import { keeperEnvironment, runnerEnvironment } from '../../src/runner/environment.js';
import { tempDir } from '../support/temp-dir.js';

const ordinary = { HOME: tempHome(), PATH: '/usr/bin', LANG: 'C.UTF-8', https_proxy: 'http://proxy:3128' };

function tempHome(): string {
  return '/nonexistent/home';
}

it('holds what any program needs, the settings of this one, and its own depth', () => {
  const env = runnerEnvironment(readConfig({}, { ...ordinary, ANTHROPIC_API_KEY: 'k', AGENT_RUNTIME_DEPTH: '1' }));
  expect(env).toMatchObject({ ...ordinary, ANTHROPIC_API_KEY: 'k', AGENT_RUNTIME_DEPTH: '1' });
});

it('holds nothing of the session that started it, and no secret of anyone else', () => {
  const foreign = {
    CLAUDECODE: '1',
    CLAUDE_CODE_SESSION_ID: 's',
    CLAUDE_PROJECT_DIR: '/p',
    CLAUDE_CODE_OAUTH_TOKEN: 't',
    AWS_SECRET_ACCESS_KEY: 'a',
    GITHUB_TOKEN: 'o',
    NODE_OPTIONS: '--inspect',
    LD_PRELOAD: '/evil.so',
    npm_config_token: 'n',
  };
  const env = runnerEnvironment(readConfig({}, { ...ordinary, ...foreign, CLAUDE_CONFIG_DIR: '/login' }));
  for (const name of Object.keys(foreign)) expect(env).not.toHaveProperty(name);
  expect(env.CLAUDE_CONFIG_DIR).toBe('/login');
});

it('holds resolved paths, under the names that the runner reads', () => {
  const home = tempDir();
  const env = runnerEnvironment(readConfig({ db: '~/here.db', dataDir: '~/data' }, { ...ordinary, HOME: home }));
  expect(env).toMatchObject({ AGENT_RUNTIME_DB_PATH: `${home}/here.db`, AGENT_RUNTIME_DATA_DIR: `${home}/data` });
});

it('holds keys and addresses that were given under other names', () => {
  const env = runnerEnvironment(readConfig({}, { ...ordinary, GEMINI_API_KEY: 'g', OLLAMA_HOST: 'http://host:1' }));
  expect(env).toMatchObject({ GOOGLE_API_KEY: 'g', OLLAMA_BASE_URL: 'http://host:1' });
});

it('holds the variable that the address of prices needs, and no other', () => {
  const url = 'https://prices.example/{ticker}?key={env:PRICES_KEY}';
  const env = runnerEnvironment(
    readConfig({}, { ...ordinary, AGENT_RUNTIME_PRICES_URL: url, PRICES_KEY: 'p', OTHER_KEY: 'o' }),
  );
  expect(env.PRICES_KEY).toBe('p');
  expect(env).not.toHaveProperty('OTHER_KEY');
});

it('holds no key and no address of searches, which no job makes', () => {
  const searching = {
    BRAVE_API_KEY: 'b',
    TAVILY_API_KEY: 't',
    SEARXNG_URL: 'http://me:secret@127.0.0.1:8080',
    AGENT_RUNTIME_CONTACT: 'me@example.org',
  };
  const env = runnerEnvironment(readConfig({}, { ...ordinary, ...searching }));
  for (const name of Object.keys(searching)) expect(env).not.toHaveProperty(name);
});

/** A value for every flag that wins over a variable. */
const flags: Required<Omit<Flags, 'agents'>> = {
  db: '/flag/here.db',
  config: '/flag/config.json',
  dataDir: '/flag/data',
  logLevel: 'error',
  toolsets: 'core',
  readOnly: true,
};

it('says what each flag says, whatever the variable says that it wins over', () => {
  const variables = settings.flatMap((setting) => ('flag' in setting ? [setting.name] : []));
  const session = Object.fromEntries(
    variables.map((name) => [name, name === 'AGENT_RUNTIME_LOG_LEVEL' ? 'info' : '0']),
  );
  const config = readConfig(flags, { ...ordinary, ...session, AGENT_RUNTIME_DB_URL: 'postgres://me@127.0.0.1/other' });
  const runner = readConfig({}, runnerEnvironment(config));
  const { dbPath, dbUrl, configPath, dataDir, logLevel, toolsets, isReadOnly } = config;
  expect(dbUrl).toBeUndefined();
  expect(runner).toMatchObject({ dbPath, dbUrl, configPath, dataDir, logLevel, toolsets, isReadOnly });
});

it('names the file that the session opens, also where the secrets file has the address of another database', () => {
  const home = tempDir();
  const config = join(home, 'config.json');
  writeFileSync(config, JSON.stringify({ secretsFile: 'secrets' }));
  writeFileSync(join(home, 'secrets'), 'AGENT_RUNTIME_DB_URL=postgres://me@127.0.0.1/other\n', { mode: 0o600 });
  const variables = { ...ordinary, HOME: home, AGENT_RUNTIME_CONFIG: config };
  expect(readConfig({}, runnerEnvironment(readConfig({}, variables))).dbUrl).toBe('postgres://me@127.0.0.1/other');
  const ofFile = runnerEnvironment(readConfig({ db: join(home, 'here.db') }, variables));
  expect(readConfig({}, ofFile)).toMatchObject({ dbPath: join(home, 'here.db'), dbUrl: undefined });
  expect(readConfig({}, keeperEnvironment(readConfig({ db: join(home, 'here.db') }, variables))).dbUrl).toBeUndefined();
});
