import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** Colours a text, or returns it unchanged if colours are not wanted. */
export type Paint = (format: Format, text: string) => string;

/** The only way to stdout. Only the answer goes to stdout; everything else goes to stderr. */
export interface Output {
  /** Whether stdout is a terminal, rather than a file or a program. */
  isTerminal: boolean;
  /** The width of the terminal, in columns. */
  columns(): number;
  /** Raw text, on stdout. */
  write(text: string): void;
  /** A text with its line end, on stdout. */
  print(text: string): void;
  /** Text from elsewhere, on stdout. A terminal gets no control characters of it. */
  quote(text: string): void;
  printJson(value: unknown): void;
  /** A line on stderr. */
  say(text: string): void;
  /** Colours for stdout, and for stderr. */
  paint: Paint;
  paintAside: Paint;
}

export function createOutput(): Output {
  let isWatched = false;
  function write(text: string): void {
    if (!isWatched) process.stdout.on('error', endWithReader);
    isWatched = true;
    process.stdout.write(text);
  }
  function quote(text: string): void {
    write(`${process.stdout.isTTY ? printable(text) : text}\n`);
  }
  return {
    isTerminal: process.stdout.isTTY === true,
    // A terminal that does not know its width says 0.
    columns: () => process.stdout.columns || 80,
    write,
    print: (text) => write(`${text}\n`),
    quote,
    printJson: (value) => quote(JSON.stringify(value, null, 2)),
    say: (text) => void process.stderr.write(`${text}\n`),
    paint: paintFor(process.stdout),
    paintAside: paintFor(process.stderr),
  };
}

/** Text without the control characters that a terminal would obey. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(/[^\P{Cc}\n\t]/gu, '\u{fffd}');
}

/** A reader that closes the pipe, such as `head`, is not an error. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`error: stdout cannot be written to: ${error.message}\n`);
  process.exit(1);
}

/** `hasColors` exists on terminals only. It respects NO_COLOR and similar variables. */
function paintFor(stream: NodeJS.WriteStream): Paint {
  const hasColours = stream.isTTY && stream.hasColors();
  return (format, text) => (hasColours ? styleText(format, text, { validateStream: false }) : text);
}
