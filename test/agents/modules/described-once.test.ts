import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../../support/temp-dir.js';
import { testRuntime } from '../../support/test-runtime.js';
import { homeWithModules, plainAgent, writeModule } from './workshop.js';

/** A module that leaves a line in a file whenever it is loaded. */
function recording(file: string, module: string): string {
  return `import { appendFileSync } from 'node:fs'; appendFileSync(${JSON.stringify(file)}, 'loaded\\n'); ${module}`;
}

const loadsIn = (file: string): number => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0);

async function describeIn(home: string, type?: string) {
  const runtime = await testRuntime({ home });
  const { agents, problems } = await runtime.agents.describe(type);
  runtime.close();
  return { agents: agents.filter(({ module }) => module), problems };
}

describe('a module', () => {
  it('is loaded once for all processes, until one of its files changes', async () => {
    const record = join(tempDir(), 'record');
    const words = (text: string) => `export const words = '${text}';`;
    const module = `import { words } from './words.mjs'; ${plainAgent('counted').replace("'An agent of a test.'", 'words')}`;
    const home = homeWithModules({ 'a.mjs': recording(record, module) });
    writeModule(home, 'words.mjs', words('before'));
    expect((await describeIn(home)).agents).toMatchObject([{ type: 'counted', description: 'before' }]);
    expect((await describeIn(home, 'counted')).agents).toMatchObject([{ type: 'counted', description: 'before' }]);
    expect(loadsIn(record)).toBe(1);
    writeModule(home, 'words.mjs', words('after'));
    expect((await describeIn(home, 'counted')).agents).toMatchObject([{ type: 'counted', description: 'after' }]);
    expect(loadsIn(record)).toBe(2);
  });

  it('that gets on slowly, as on a busy machine, is waited for', async () => {
    // Longer than one that does nothing would be given, and with little CPU time all along.
    const slow = `for (let i = 0; i < 24; i++) {
        await new Promise((done) => setTimeout(done, 500));
        for (const begun = process.cpuUsage(); process.cpuUsage(begun).user < 20_000; );
      } ${plainAgent('slow')}`;
    const { agents, problems } = await describeIn(homeWithModules({ 'slow.mjs': slow }));
    expect(problems).toEqual([]);
    expect(agents).toMatchObject([{ type: 'slow' }]);
  });

  it('that hangs is not asked for the type of another, and keeps none of them waiting', async () => {
    const record = join(tempDir(), 'record');
    const hangs = (more: string) => recording(join(tempDir(), 'other'), more);
    const home = homeWithModules({
      'waits.mjs': recording(record, 'await new Promise(() => {});'),
      'loops.mjs': hangs('for (;;);'),
      'third.mjs': hangs('await new Promise(() => {});'),
      'good.mjs': plainAgent('good'),
    });
    const runtime = await testRuntime({ home });
    let isListed = false;
    const listing = runtime.agents.describe().finally(() => {
      isListed = true;
    });
    expect((await runtime.agents.describe('good')).agents).toMatchObject([{ type: 'good' }]);
    expect(isListed).toBe(false);
    runtime.close();
    await listing;
    const before = loadsIn(record);
    expect((await describeIn(home, 'good')).agents).toMatchObject([{ type: 'good' }]);
    expect(loadsIn(record)).toBe(before);
  });
});

describe('a module that cannot be used', () => {
  it.each([
    ['const a = 1;\nconst b = ;\n', /SyntaxError: Unexpected token ';'\. It is at .*bad\.mjs:2\.$/],
    ['const a = null;\n\na.b;\n', /TypeError: Cannot read properties of null \(reading 'b'\) \(.*bad\.mjs:3:3\)\.$/],
    ['export default () => {};', /its default export is a function, which belongs into an agent as execute\. Write: /],
    [
      'export default { type: "a", execute() {} };',
      /agent "a" whose description is missing, payload is missing: a sch/,
    ],
    ['export default { description: "d" };', /its default export lacks type, payload, execute\. Write: /],
    ['export const agent = 1;', /: it exports agent, and no default\. Write: export default defineAgent/],
  ])('is told what is wrong and where: %j', async (text, reason) => {
    const { problems } = await describeIn(homeWithModules({ 'bad.mjs': text }));
    expect(problems).toEqual([{ module: expect.any(String), reason: expect.stringMatching(reason) }]);
  });
});
