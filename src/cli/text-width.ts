import stringWidth from 'string-width';

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The letters of a text as readers see them: an accent or a joined emoji belongs to one letter. */
export function lettersOf(text: string): string[] {
  return [...graphemes.segment(text)].map(({ segment }) => segment);
}

/** How many columns of a terminal a text without line ends takes. Colours take none. */
export function textWidth(text: string): number {
  return stringWidth(text);
}
