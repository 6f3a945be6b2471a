import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { projectRoot } from '../support/paths.js';
import { tempDir } from '../support/temp-dir.js';
import { startHttpProcess } from './http-process.js';

const suite = join(projectRoot, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');

/** Those of the official suite that can be met without tools, resources or prompts of its own making. */
const scenarios = [
  'server-initialize',
  'logging-set-level',
  'ping',
  'tools-list',
  'tools-call-simple-text',
  'tools-call-error',
  'server-sse-multiple-streams',
  'resources-list',
  'resources-subscribe',
  'resources-unsubscribe',
  'prompts-list',
  'dns-rebinding-protection',
];

it('the official conformance suite passes against /mcp', async () => {
  // The suite sends no token.
  const { url } = await startHttpProcess(tempDir(), ['serve', '--http', '--port', '0', '--no-token']);
  for (const scenario of scenarios) {
    const args = [suite, 'server', '--url', `${url}/mcp`, '--scenario', scenario];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args).catch((error) => error);
    const [, passed, all] = /Passed: (\d+)\/(\d+)/.exec(`${stdout}${stderr}`) ?? [];
    expect(passed, `${scenario}: ${stdout}${stderr}`).toBe(all);
    expect(Number(all), scenario).toBeGreaterThan(0);
  }
});
