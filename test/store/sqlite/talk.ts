import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { buildChild, type Child, startChild } from '../../support/child.js';

export interface TalkingChild extends Child {
  /** Resolves to the next line that it prints; rejects if it ends instead. */
  nextLine(): Promise<string>;
  tell(line: string): void;
}

/** Starts one of the programs beside these tests, which report and take orders line by line. */
export async function startTalking(
  name: string,
  args: readonly string[],
  env = {},
  node = process.execPath,
): Promise<TalkingChild> {
  const path = await buildChild(fileURLToPath(new URL(`children/${name}.ts`, import.meta.url)));
  return talkTo(startChild(path, args, env, node), name);
}

/** Waits until each has said that it is ready, and tells all one instant to begin at. Resolves to what they said. */
export async function startTogether(children: readonly TalkingChild[]): Promise<string[]> {
  const lines: string[] = [];
  for (const child of children) lines.push(await child.nextLine());
  const instant = Date.now() + 50;
  for (const child of children) child.tell(String(instant));
  return lines;
}

function talkTo(child: Child, name: string): TalkingChild {
  const lines: string[] = [];
  let rest = '';
  child.process.stdout?.on('data', (data: Buffer) => {
    const parts = (rest + data.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    child.process.emit('lines');
  });
  return {
    ...child,
    async nextLine() {
      for (;;) {
        const line = lines.shift();
        if (line !== undefined) return line;
        const end = child.ended.then(({ code, stderr }) => {
          if (lines.length === 0) throw new Error(`${name} ended with ${code} and said nothing more. ${stderr}`);
        });
        await Promise.race([once(child.process, 'lines'), end]);
      }
    },
    tell: (line) => void child.process.stdin?.write(`${line}\n`),
  };
}
