/** How a piece of a terminal's output looks. */
export interface Look {
  /** 0 to 7: black, red, green, yellow, blue, magenta, cyan, white. */
  colour?: number | undefined;
  ground?: number | undefined;
  isBold?: boolean;
  isDim?: boolean;
  isItalic?: boolean;
  isUnderlined?: boolean;
  isStruck?: boolean;
}

export interface Span {
  look: Look;
  text: string;
}

/** Control sequences (ECMA-48): CSI, OSC and other strings, and single ones; all but colours are dropped. */
const sequence =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  /(?:\u001b\[|\u009b)([0-?]*)[ -/]*([@-~])|\u001b[\]PX^_][^\u0007\u001b\u009c]{0,2000}(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is dropped.
const invisible = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
export const hasEscapes = (text: string): boolean => /[\u001b\u009b]/.test(text);

/**
 * The spans of a piece of output, beginning with the look that the piece before it ended with; and the look that this
 * one ends with. More colours than `most` are left out.
 */
export function readAnsi(text: string, from: Look, most = 500): { spans: Span[]; look: Look } {
  const spans: Span[] = [];
  let look = from;
  let at = 0;
  const add = (part: string) => {
    const clean = part.replace(invisible, '');
    const last = spans.at(-1);
    if (clean === '') return;
    if (last && (last.look === look || spans.length >= most)) last.text += clean;
    else spans.push({ look, text: clean });
  };
  for (const match of text.matchAll(sequence)) {
    add(text.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[2] === 'm') look = changed(look, match[1] ?? '');
  }
  add(text.slice(at));
  return { spans, look };
}

/** The text alone. */
export const withoutEscapes = (text: string): string => text.replace(sequence, '').replace(invisible, '');

/** A terminal writes over a line from its start after a carriage return: what stood there last is what one sees. */
export function lastWritten(text: string): string {
  if (!text.includes('\r')) return text;
  return text
    .split('\n')
    .map((line) => {
      const whole = line.replace(/\r+$/, '');
      return whole.slice(whole.lastIndexOf('\r') + 1);
    })
    .join('\n');
}

/** SGR: the parameters of a sequence, applied one after another. */
function changed(look: Look, parameters: string): Look {
  const codes = parameters.split(/[;:]/, 32).map(Number);
  let next: Look = look;
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0;
    if (code === 0) next = {};
    else if (code === 38 || code === 48) {
      const isIndexed = codes[at + 1] === 5;
      const colour = isIndexed ? ofPalette(codes[at + 2] ?? 0) : nearest(codes.slice(at + 2, at + 5));
      next = { ...next, [code === 38 ? 'colour' : 'ground']: colour };
      at += isIndexed ? 2 : 4;
    } else next = { ...next, ...simple(code) };
  }
  return next;
}

function simple(code: number): Look {
  if (code >= 30 && code <= 37) return { colour: code - 30 };
  if (code >= 90 && code <= 97) return { colour: code - 90 };
  if (code >= 40 && code <= 47) return { ground: code - 40 };
  if (code >= 100 && code <= 107) return { ground: code - 100 };
  return looks[code] ?? {};
}

const looks: Readonly<Record<number, Look>> = {
  1: { isBold: true },
  2: { isDim: true },
  3: { isItalic: true },
  4: { isUnderlined: true },
  9: { isStruck: true },
  22: { isBold: false, isDim: false },
  23: { isItalic: false },
  24: { isUnderlined: false },
  29: { isStruck: false },
  39: { colour: undefined },
  49: { ground: undefined },
};

/** The nearest of the eight colours, which the page has in both themes. */
function ofPalette(index: number): number | undefined {
  if (index < 16) return index % 8;
  if (index > 231) return undefined;
  const cube = index - 16;
  return nearest([Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((part) => part * 51));
}

function nearest([red = 0, green = 0, blue = 0]: number[]): number | undefined {
  const [low, high] = [Math.min(red, green, blue), Math.max(red, green, blue)];
  // Grey is the colour of the text.
  if (high - low < 32) return undefined;
  const middle = (low + high) / 2;
  return (red > middle ? 1 : 0) + (green > middle ? 2 : 0) + (blue > middle ? 4 : 0);
}
