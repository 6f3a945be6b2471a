import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../support/paths.js';
import { tempDir } from '../support/temp-dir.js';
import { textOf, toolRuntime } from './tool-runtime.js';

const entry = (name: string) => join(projectRoot, 'node_modules', '@modelcontextprotocol', name, 'dist', 'index.js');

it('server-everything is pooled, called and scaled', async () => {
  const { call, downstream } = await toolRuntime({
    everything: { command: process.execPath, args: [entry('server-everything')], instances: 2 },
  });
  expect(textOf(await call('everything.echo', { message: 'hello' }))).toContain('hello');
  expect(textOf(await call('everything.get-sum', { a: 2, b: 40 }))).toContain('42');
  const image = await call('everything.get-tiny-image');
  expect(image.result.content?.some(({ type }) => type === 'image')).toBe(true);
  const heard: string[] = [];
  const long = { duration: 1, steps: 4 };
  await call('everything.trigger-long-running-operation', long, { onProgress: (message) => void heard.push(message) });
  expect(heard.length).toBeGreaterThan(1);
  await downstream.scale('everything', 1, { holder: 'session:test', project: '' });
  expect((await downstream.servers())[0]?.instances).toHaveLength(1);
  expect(textOf(await call('everything.echo', { message: 'still' }))).toContain('still');
});

it('server-memory keeps what it is given', async () => {
  const env = { MEMORY_FILE_PATH: join(tempDir(), 'memory.json') };
  const { call } = await toolRuntime({ memory: { command: process.execPath, args: [entry('server-memory')], env } });
  const entities = [{ name: 'Ada', entityType: 'person', observations: ['wrote the first program'] }];
  await call('memory.create_entities', { entities });
  const found = await call('memory.search_nodes', { query: 'first program' });
  expect(JSON.stringify(found.result)).toContain('Ada');
});

it('server-filesystem reads and writes in its own folder, and what it refuses is its answer', async () => {
  const folder = tempDir();
  const { call } = await toolRuntime({
    files: { command: process.execPath, args: [entry('server-filesystem'), folder] },
  });
  const path = join(folder, 'note.txt');
  await call('files.write_file', { path, content: 'kept' });
  expect(readFileSync(path, 'utf8')).toBe('kept');
  expect(textOf(await call('files.read_text_file', { path }))).toContain('kept');
  const outside = await call('files.read_text_file', { path: '/etc/hostname' });
  expect(outside.result.isError).toBe(true);
  expect(textOf(outside)).toContain('outside allowed directories');
});
