import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A database that the earlier Python server wrote. */
const fixture = fileURLToPath(new URL('../../fixtures/store/legacy-agent-runtime.db', import.meta.url));

/** Puts a copy of it at `file`, which no process has open. */
export function putLegacyFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  copyFileSync(fixture, file);
}
