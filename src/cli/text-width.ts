import { createInterface } from 'node:readline';
import { PassThrough, Writable } from 'node:stream';

/** Knows how wide a text is, as it has to know where the cursor is. It reads nothing and writes nothing. */
const line = createInterface({
  input: new PassThrough(),
  output: new Writable({ write: (_chunk, _encoding, done) => done() }),
  terminal: false,
});

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The letters of a text as readers see them: an accent or a joined emoji belongs to one letter. */
export function lettersOf(text: string): string[] {
  return [...graphemes.segment(text)].map(({ segment }) => segment);
}

/** How many columns of a terminal a text without line ends takes. */
export function textWidth(text: string): number {
  return lettersOf(text).reduce((sum, letter) => sum + letterWidth(letter), 0);
}

/** Node knows the width of each code point from Unicode's data; a letter of several is as wide as the widest may be. */
function letterWidth(letter: string): number {
  line.setPrompt(letter);
  return Math.min(2, line.getCursorPos().cols);
}
