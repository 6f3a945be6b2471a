import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ConfigFile } from '../../../src/base/config-file.js';
import { tempDir } from '../../support/temp-dir.js';

/** A home whose config file names these modules, by their names in `~/.claude`, in this order. */
export function homeWithModules(modules: Record<string, string>, config: ConfigFile = {}): string {
  const home = tempDir();
  mkdirSync(join(home, '.claude'));
  for (const [name, text] of Object.entries(modules)) writeModule(home, name, text);
  writeFileSync(
    join(home, '.claude', 'agent_runtime.json'),
    JSON.stringify({ agents: Object.keys(modules).map((name) => `./${name}`), ...config }),
  );
  return home;
}

/** Resolves to the module's path. */
export function writeModule(home: string, name: string, text: string): string {
  const path = join(home, '.claude', name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** As a user writes one: neither package is installed near the module. */
export const countWords = `
  import { defineAgent } from 'agent-runtime-mcp';
  import { z } from 'zod';

  export default defineAgent({
    type: 'count_words',
    description: 'Counts the words of a text.',
    payload: z.object({ text: z.string().describe('Any text.'), least: z.int().min(1).default(1) }),
    concurrency: 2,
    timeoutSeconds: 60,
    async execute(job, context) {
      const words = job.payload.text.split(/\\s+/).filter((word) => word.length >= job.payload.least);
      context.log('info', 'counted', { words: words.length });
      return { words: words.length };
    },
  });`;

/** An agent of a type, without any package, whose \`execute\` has this body. */
export const plainAgent = (type: string, body = 'return job.payload;', more = ''): string => `
  const anything = { '~standard': { version: 1, vendor: 'none', validate: (value) => ({ value }) } };
  export default {
    type: '${type}', description: 'An agent of a test.', payload: anything, ${more}
    async execute(job, context) { ${body} },
  };`;
