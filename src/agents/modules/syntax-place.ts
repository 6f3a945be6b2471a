import { execFile } from 'node:child_process';

const checkMs = 10_000;

/**
 * Where a file stops being JavaScript, as `path:line`: the error of an import does not say. Node checks the files one after
 * another, without running them. Undefined when none of them is at fault, and for TypeScript, whose errors say it.
 */
export async function syntaxPlace(files: readonly string[]): Promise<string | undefined> {
  for (const file of files.filter((path) => /\.[cm]?js$/.test(path)).slice(0, 20)) {
    const printed = await check(file);
    const [, line] = /^.*:(\d+)$/m.exec(printed) ?? [];
    if (line !== undefined) return `${file}:${line}`;
  }
  return undefined;
}

/** What Node prints about a file: nothing, or place, line and error. */
function check(file: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--check', file], { timeout: checkMs }, (error, _, stderr) =>
      resolve(error ? stderr : ''),
    );
  });
}
