import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readFileInside } from '../../src/agents/regular-file.js';

let base: string;
let root: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'regular-file-'));
  root = join(base, 'root');
  await mkdir(root);
  await mkdir(join(base, 'root-evil'));
  await writeFile(join(base, 'secret'), 'secret');
  await writeFile(join(base, 'root-evil', 'x'), 'secret');
  await writeFile(join(root, 'plain'), 'content');
});
afterEach(() => rm(base, { recursive: true, force: true }));

const read = async (name: string) => (await readFileInside(root, name, 1000))?.toString();

it('reads a regular file, through a linked root and through a link that stays inside', async () => {
  expect(await read('plain')).toBe('content');
  await symlink('plain', join(root, 'alias'));
  expect(await read('alias')).toBe('content');
  await symlink(root, join(base, 'linked'));
  expect((await readFileInside(join(base, 'linked'), 'plain', 1000))?.toString()).toBe('content');
});

it('returns undefined for a missing file and for a missing root', async () => {
  expect(await read('none')).toBeUndefined();
  expect(await read('plain/none')).toBeUndefined();
  expect(await readFileInside(join(base, 'none'), 'plain', 1000)).toBeUndefined();
});

it.each(['../secret', '../none', '../root-evil/x', '..', '.', '', '/etc/passwd', 'a/../../secret', 'plain\0.csv'])(
  'refuses the name %j',
  async (name) => {
    await expect(read(name)).rejects.toMatchObject({ code: 'FILE_NOT_ALLOWED' });
  },
);

it('refuses links that lead outside, whole or in part, and links in a circle', async () => {
  await symlink('../secret', join(root, 'file-link'));
  await symlink('../root-evil', join(root, 'directory-link'));
  await symlink('circle', join(root, 'circle'));
  await expect(read('file-link')).rejects.toMatchObject({ code: 'FILE_NOT_ALLOWED' });
  await expect(read('directory-link/x')).rejects.toMatchObject({ code: 'FILE_NOT_ALLOWED' });
  await expect(read('circle')).rejects.toMatchObject({ code: 'FILE_NOT_ALLOWED' });
});

it('refuses a directory, and a FIFO without waiting for a writer', async () => {
  await mkdir(join(root, 'directory'));
  await expect(read('directory')).rejects.toMatchObject({ code: 'FILE_NOT_ALLOWED' });
  execFileSync('mkfifo', [join(root, 'fifo')]);
  await expect(read('fifo')).rejects.toMatchObject({ code: 'FILE_NOT_ALLOWED' });
});

it('refuses a file over the cap before reading it', async () => {
  await writeFile(join(root, 'large'), '');
  await truncate(join(root, 'large'), 1024 ** 3);
  await expect(read('large')).rejects.toMatchObject({
    code: 'FILE_TOO_LARGE',
    message: expect.stringContaining('has 1073741824 bytes; at most 1000'),
  });
});
