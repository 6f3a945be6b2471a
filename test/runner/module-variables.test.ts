import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { submitJob } from '../../src/services/submit-job.js';
import { homeWithModules, plainAgent } from '../agents/modules/workshop.js';
import { type Background, background, session } from './fixtures/background.js';

const token = 'a-token-of-the-author';

/** A home with two modules, of which the first gets a token from the secrets file, and a variable that is not set. */
function homeWithToken(): string {
  const tell =
    "context.log('info', 'it is ' + process.env.SOME_CREDIT); return [process.pid, process.env.SOME_CREDIT ?? null];";
  const described = (type: string) =>
    plainAgent(type, tell).replace(
      "'An agent of a test.'",
      "'It is ' + (process.env.SOME_CREDIT ?? 'not there') + '.'",
    );
  const home = homeWithModules(
    { 'given.mjs': described('given'), 'other.mjs': described('other') },
    {
      secretsFile: './secrets.env',
      agents: [{ module: './given.mjs', env: ['SOME_CREDIT', 'NOT_SET'] }, './other.mjs'],
      limits: { maxRunningJobs: 1 },
    },
  );
  writeFileSync(join(home, '.claude', 'secrets.env'), `SOME_CREDIT=${token}\n`, { mode: 0o600 });
  return home;
}

async function submit(runtime: Background, type: string) {
  return submitJob({ type, payload: {} }, session, runtime);
}

it('a variable that the config file gives to a module is there for its processes alone, and in no log', async () => {
  const home = homeWithToken();
  const runtime = await background({ home });
  const [given, other] = [await submit(runtime, 'given'), await submit(runtime, 'other')];
  expect((await runtime.ended(given.job.id)).result).toEqual([expect.any(Number), token]);
  expect((await runtime.ended(other.job.id)).result).toEqual([expect.any(Number), null]);
  expect(await runtime.jobs.logs(given.job.id, 5)).toMatchObject([{ message: 'it is [redacted]' }]);
  const { agents } = await runtime.agents.describe();
  expect(agents.filter(({ module }) => module).map(({ description }) => description)).toEqual([
    `It is ${token}.`,
    'It is not there.',
  ]);
  expect(readFileSync(`${runtime.config.dataDir}/logs/runner.log`, 'utf8')).not.toContain(token);
});

it('a variable that is not set is named to who submits a job of the module', async () => {
  const runtime = await background({ home: homeWithToken() });
  expect((await submit(runtime, 'given')).warnings).toEqual([
    expect.stringMatching(/^NOT_SET is not set, which the config file gives to .*given\.mjs\.$/),
  ]);
  expect((await submit(runtime, 'other')).warnings).toBeUndefined();
});
