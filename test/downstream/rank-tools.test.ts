import { join } from 'node:path';
import { expect, it } from 'vitest';
import { rankTools } from '../../src/downstream/rank-tools.js';
import { projectRoot } from '../support/paths.js';
import { tempDir } from '../support/temp-dir.js';
import { odd, toolRuntime } from './tool-runtime.js';

const entry = (name: string) => join(projectRoot, 'node_modules', '@modelcontextprotocol', name, 'dist', 'index.js');

it('tools are found by what they do: facts for the knowledge graph at the server that keeps one', async () => {
  const env = { MEMORY_FILE_PATH: join(tempDir(), 'memory.json') };
  const { downstream } = await toolRuntime({
    everything: { command: process.execPath, args: [entry('server-everything')] },
    odd: odd(),
    memory: { command: process.execPath, args: [entry('server-memory')], env },
  });
  for (const server of ['everything', 'odd', 'memory']) await downstream.check(server, 30_000);
  const namesFor = async (query: string) => (await downstream.tools({ query })).tools.map(({ name }) => name);
  const found = await namesFor('add facts to knowledge graph');
  expect(found[0]).toBe('memory.add_observations');
  expect(found.slice(0, 5).every((name) => name.startsWith('memory.'))).toBe(true);
  expect((await namesFor('deleting relations'))[0]).toBe('memory.delete_relations');
  expect((await namesFor('tiny image'))[0]).toBe('everything.get-tiny-image');
  expect((await namesFor('find papers about physics'))[0]).toBe('search_arxiv');
  // A word that only a parameter has, and one that is misspelt.
  expect(await namesFor('entityType')).toContain('memory.create_entities');
  expect((await namesFor('knowlegde graf'))[0]).toMatch(/^memory\./);
  expect(await namesFor('zzzzzz')).toEqual([]);
  expect(await namesFor('what can you do')).toHaveLength((await namesFor('')).length);
});

it('a rare word counts for more than one that many tools have', async () => {
  const tool = (name: string, description: string) => ({ name, description, inputSchema: {} });
  const many = Array.from({ length: 20 }, (_, index) => tool(`files.list_${index}`, 'Lists files of a folder.'));
  const [best] = await rankTools([...many, tool('disk.usage', 'Lists what fills the disk.')], 'list disk files');
  expect(best?.name).toBe('disk.usage');
});
