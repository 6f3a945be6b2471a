import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../support/root.js';

const source = join(projectRoot, 'src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

/** What a file imports for its code, not for its types. */
function codeImportsOf(file: string): string[] {
  const text = readFileSync(join(source, file), 'utf8');
  return [...text.matchAll(/^import (?!type)[^;]*?from '([^']+)'/gm)].map(([, target]) => target ?? '');
}

it("the SDK's client is loaded with the first connection, and not when the server starts", () => {
  const users = files.filter((file) => codeImportsOf(file).some((target) => target.includes('sdk/client/')));
  expect(users.sort()).toEqual(['downstream/connection/connection.ts', 'mcp/remote/connection.ts']);
  // The thin client is one part, imported when it is wanted.
  const others = files.filter((file) => !file.startsWith('mcp/remote/'));
  const eager = /\/connection\.js$|\/open-remote\.js$|\/remote-server\.js$/;
  expect(others.filter((file) => codeImportsOf(file).some((target) => eager.test(target)))).toEqual([]);
});
