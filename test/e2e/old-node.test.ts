import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { fetchNode } from '../support/other-node.js';
import { mainEntry, projectRoot } from '../support/paths.js';
import { makeTempDir, tempDir } from '../support/temp-dir.js';

const node18 = fetchNode(18);

/** As npm installs it: an older Node asks package.json what kind of modules these are. */
const installed = makeTempDir();
cpSync(dirname(mainEntry), join(installed, 'dist'), { recursive: true });
copyFileSync(join(projectRoot, 'package.json'), join(installed, 'package.json'));

it.runIf(node18).each([[['doctor']], [['--version']], [[]]])(
  'on Node 18, the command with %j says in one line what it needs, and ends with 1',
  (args) => {
    const env = { PATH: '/usr/bin:/bin', HOME: tempDir() };
    const { status, stdout, stderr } = spawnSync(node18 ?? '', [join(installed, 'dist/main.js'), ...args], {
      env,
      input: '',
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^agent-runtime-mcp needs Node 20\.19 or newer; this is Node 18\.[^\n]*nodejs\.org\.\n$/);
  },
);

it.runIf(node18)('on Node 18, openRuntime of the library says the same', () => {
  const library = pathToFileURL(join(installed, 'dist/index.js')).href;
  const program = `
    const { openRuntime } = await import(${JSON.stringify(library)});
    console.log(await openRuntime().catch(({ code, message }) => code + ': ' + message));`;
  const output = execFileSync(node18 ?? '', ['--input-type=module', '--eval', program], { encoding: 'utf8' });
  expect(output).toMatch(/^unavailable: agent-runtime-mcp needs Node 20\.19 or newer; this is Node 18\./);
});
