import type { Output } from '../../src/cli/output.js';

/** An output that records what it is given. */
export function recordingOutput({ isTerminal = false } = {}): Output & { stdout(): string; stderr(): string } {
  let stdout = '';
  let stderr = '';
  const write = (text: string) => {
    stdout += text;
  };
  return {
    isTerminal,
    columns: () => 80,
    write,
    print: (text) => write(`${text}\n`),
    quote: (text) => write(`${text}\n`),
    printJson: (value) => write(`${JSON.stringify(value, null, 2)}\n`),
    say(text) {
      stderr += `${text}\n`;
    },
    paint: (_format, text) => text,
    paintAside: (_format, text) => text,
    stdout: () => stdout,
    stderr: () => stderr,
  };
}
