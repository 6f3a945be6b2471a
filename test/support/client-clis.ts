import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fetchPackage, findPackage } from './other-node.js';

/** Real clients, as the registry has them for Linux x64. They are large, so `.ci/clients` fetches them, and no test. */
export const clientClis = {
  'claude-code': { package: '@anthropic-ai/claude-code-linux-x64', version: '2.1.330', file: 'claude' },
  codex: {
    package: '@openai/codex',
    version: '0.169.0-linux-x64',
    file: 'vendor/x86_64-unknown-linux-musl/bin/codex',
  },
  'gemini-cli': { package: '@google/gemini-cli', version: '0.61.0', file: 'bundle/gemini.js' },
  opencode: { package: 'opencode-linux-x64', version: '1.18.33', file: 'bin/opencode' },
  mcpb: { package: '@anthropic-ai/mcpb', version: '2.1.2', file: 'dist/cli/cli.js' },
} as const;

export type CliId = keyof typeof clientClis;

/** The program of a client that was fetched; undefined, after one line on stderr, if it was not. */
export function findCli(id: CliId): string | undefined {
  const { package: name, version, file } = clientClis[id];
  const directory = findPackage(name, version);
  const program = directory && join(directory, file);
  if (program !== undefined && existsSync(program)) return program;
  process.stderr.write(`Skipped with ${id}: it is not here; .ci/clients ${id} fetches ${name}@${version}.\n`);
  return undefined;
}

export function fetchCli(id: CliId): string | undefined {
  const { package: name, version } = clientClis[id];
  return fetchPackage(name, version, `Not fetched: ${id}`);
}
