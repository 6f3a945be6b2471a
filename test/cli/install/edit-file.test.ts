import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { editFile } from '../../../src/cli/install/edit-file.js';
import { tempDir } from '../../support/temp-dir.js';

const now = Date.UTC(2026, 10, 20, 12);
const exclaim = (text: string) => ({ text: `${text}!` });

it('writes the new text, and keeps a backup beside it and the mode of the file', () => {
  const directory = tempDir();
  const file = join(directory, 'a.json');
  writeFileSync(file, 'one');
  chmodSync(file, 0o664);
  const { backup } = editFile(file, exclaim, now);
  expect(readFileSync(file, 'utf8')).toBe('one!');
  expect(backup).toBe(`${file}.backup-20261120T120000000Z`);
  expect(readFileSync(backup ?? '', 'utf8')).toBe('one');
  expect(statSync(file).mode & 0o777).toBe(0o664);
  expect(readdirSync(directory)).toHaveLength(2);
});

it('creates a missing file and the directories above it, without a backup', () => {
  const file = join(tempDir(), 'deep', 'er', 'a.json');
  expect(editFile(file, exclaim, now)).toEqual({ outcome: { text: '!' } });
  expect(readFileSync(file, 'utf8')).toBe('!');
  expect(readdirSync(join(file, '..'))).toEqual(['a.json']);
});

it('a new file is for its owner alone, as keys go into it', () => {
  const before = process.umask(0);
  const file = join(tempDir(), 'a.json');
  editFile(file, exclaim, now);
  process.umask(before);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('touches nothing when there is nothing to change', () => {
  const directory = tempDir();
  const file = join(directory, 'a.json');
  writeFileSync(file, 'one');
  const before = statSync(file);
  expect(editFile(file, (text) => ({ text }), now)).toEqual({ outcome: { text: 'one' } });
  expect(statSync(file)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
  expect(readdirSync(directory)).toEqual(['a.json']);
});

it('touches nothing when the edit, the backup or the write fails', () => {
  const directory = tempDir();
  const file = join(directory, 'a.json');
  writeFileSync(file, 'one');
  const refuse = () => {
    throw new Error('no');
  };
  expect(() => editFile(file, refuse, now)).toThrow('no');
  writeFileSync(`${file}.backup-20261120T120000000Z`, 'an earlier one');
  expect(() => editFile(file, exclaim, now)).toThrow(expect.objectContaining({ code: 'unavailable' }));
  mkdirSync(join(directory, 'sub'));
  expect(() => editFile(join(directory, 'sub'), exclaim, now)).toThrow('cannot be changed');
  expect(() => editFile(join(file, 'below'), exclaim, now)).toThrow('cannot be changed');
  expect(readFileSync(file, 'utf8')).toBe('one');
  expect(readFileSync(`${file}.backup-20261120T120000000Z`, 'utf8')).toBe('an earlier one');
});

it('changes the file behind a link, and leaves the link', () => {
  const directory = tempDir();
  mkdirSync(join(directory, 'dotfiles'));
  writeFileSync(join(directory, 'dotfiles', 'mcp.json'), 'one');
  const link = join(directory, 'mcp.json');
  symlinkSync('dotfiles/mcp.json', link);
  editFile(link, exclaim, now);
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(directory, 'dotfiles', 'mcp.json'), 'utf8')).toBe('one!');
});

it('refuses a file in another encoding', () => {
  const file = join(tempDir(), 'a.json');
  const bytes = Buffer.from('\uFEFF{"a":"ü"}', 'utf16le');
  writeFileSync(file, bytes);
  expect(() => editFile(file, exclaim, now)).toThrow('is not UTF-8');
  expect(readFileSync(file)).toEqual(bytes);
});
