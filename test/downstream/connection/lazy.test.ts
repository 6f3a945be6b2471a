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
  const downstream = ['connection.ts', 'http-transport.ts', 'oauth/authorization.ts', 'oauth/log-in.ts'];
  const lazy = downstream.map((file) => `downstream/connection/${file}`);
  expect(users.sort()).toEqual([...lazy, 'mcp/remote/connection.ts']);
  // The thin client is loaded as a whole, when it is wanted.
  const others = files.filter((file) => !file.startsWith('mcp/remote/') && !file.startsWith('store/'));
  const eager = /\/connection\.js$|\/log-in\.js$|\/open-remote\.js$/;
  const eagerUsers = others.filter((file) => codeImportsOf(file).some((target) => eager.test(target)));
  expect(eagerUsers).toEqual([]);
  const httpUsers = others.filter((file) =>
    codeImportsOf(file).some((target) => target.endsWith('/http-transport.js')),
  );
  expect(httpUsers).toEqual(['downstream/connection/connection.ts']);
});
