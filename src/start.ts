import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import { codeCacheDirectory, runCached } from './base/code-cache.js';
import { environmentWithout } from './base/environment.js';
import { complaintAboutNode } from './base/oldest-node.js';
import type * as Program from './program.js';

/**
 * Starts one of the program's processes; the build makes a file of it for each, such as dist/main.js. All else is loaded
 * after the check of the version, because on an older Node it could not even be loaded.
 */
export function start(entry: keyof typeof Program.entries): void {
  const complaint = complaintAboutNode();
  if (complaint) {
    process.stderr.write(`${complaint} Install a newer one from https://nodejs.org.\n`);
    process.exit(1);
  }
  const args = process.argv.slice(2);
  const name = entry === 'main' ? kindOf(args) : entry;
  if (name === 'serve') keepSmall();
  const file = fileURLToPath(new URL('./program.cjs', import.meta.url));
  // A server that only said what it is has not loaded its tools yet.
  const cache = { directory: codeCacheDirectory(environmentWithout([])), name, isWholeAtExit: name !== 'serve' };
  const program = runCached(file, cache) as typeof Program;
  void program.entries[entry](args);
}

/** What a command line needs of the program, in a word: clients start the server by no command, or by options alone. */
function kindOf(args: readonly string[]): string {
  const [first = '-'] = args;
  if (args.some((arg) => /^(-h|--help|-V|--version)$/.test(arg)) || (args.length === 0 && isatty(0))) return 'help';
  if (args.includes('--http')) return 'http';
  if (first.startsWith('-')) return 'serve';
  return /^[a-z][a-z-]{0,30}$/.test(first) ? first : 'command';
}

/**
 * A server runs beside every session and mostly waits. V8's nursery left at its first size saves 15 to 20 MB a process,
 * and calls take as long as before (measured on Node 20 and 24). Compiled code is kept for one set of flags: they are set
 * before any of it is loaded.
 */
function keepSmall(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=1');
}
